/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MESSAGE_MAX 2048 /* bytes of a line's message; the rest is cut */
#define TIME_SIZE   40

static const char *const level_names[] = {
#define X(name, text) text,
    LOG_LEVELS(X)
#undef X
};

static void time_text(char to[TIME_SIZE])
{
    struct timespec now;
    struct tm parts;
    char seconds[TIME_SIZE / 2];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(to, TIME_SIZE, "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

/* What a client or an upstream says may be part of a message: it must not make lines of its own. */
static void replace_controls(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

static void write_text(enum log_level level, char *message)
{
    char when[TIME_SIZE];
    time_text(when);
    replace_controls(message);
    fprintf(stderr, "%s %s %s\n", when, level_names[level], message);
}

static void write_json(enum log_level level, const char *message)
{
    char when[TIME_SIZE];
    time_text(when);
    json_t *text = json_string(message);
    if (!text)
        text = json_string("a message that is not UTF-8");
    json_t *line =
        json_pack("{s:s, s:s, s:o}", "time", when, "level", level_names[level], "message", text);
    char *dumped = line ? json_dumps(line, JSON_COMPACT) : NULL;
    if (dumped)
        fprintf(stderr, "%s\n", dumped);
    free(dumped);
    json_decref(line);
}

/* A message that was cut does not end within a letter's bytes. */
static void drop_part_of_letter(char *message, size_t length)
{
    while (length > 0 && (message[length - 1] & 0xc0) == 0x80)
        length--;
    if (length > 0 && (message[length - 1] & 0x80))
        length--;
    message[length] = '\0';
}

static void write_line(struct logger *logger, enum log_level level, const char *format,
                       va_list arguments) __attribute__((format(printf, 3, 0)));

static void write_line(struct logger *logger, enum log_level level, const char *format,
                       va_list arguments)
{
    struct log *log = (struct log *)logger;
    char message[MESSAGE_MAX];
    if (vsnprintf(message, sizeof(message), format, arguments) >= MESSAGE_MAX)
        drop_part_of_letter(message, MESSAGE_MAX - 1);
    if (log->format == LOG_JSON)
        write_json(level, message);
    else
        write_text(level, message);
}

void log_open(struct log *log, enum log_level level, enum log_format format)
{
    *log = (struct log){.logger = {.level = level, .write = write_line}, .format = format};
}
