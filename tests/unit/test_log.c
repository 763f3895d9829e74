/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdio.h>

#include "daemon/log.h"

static struct log sink;
static char line[8192];

static void begin(enum log_level level, enum log_format format)
{
    cr_redirect_stderr();
    log_open(&sink, level, format);
}

/* What has been written since the start. */
static void read_lines(void)
{
    FILE *from = cr_get_redirected_stderr();
    fflush(stderr);
    size_t length = fread(line, 1, sizeof(line) - 1, from);
    line[length] = '\0';
}

/* The message of the only line, which has to be JSON of three texts. */
static json_t *read_json(void)
{
    fclose(stderr);
    read_lines();
    json_error_t where;
    json_t *json = json_loads(line, 0, &where);
    cr_assert_not_null(json, "%s: %s", where.text, line);
    cr_expect_eq(json_object_size(json), 3);
    cr_expect_eq(strlen(json_string_value(json_object_get(json, "time"))),
                 strlen("2026-11-21T13:17:00.123Z"));
    cr_expect_eq(strchr(line, '\n'), line + strlen(line) - 1, "one line");
    return json;
}

static void expect_json_message(const char *message)
{
    json_t *json = read_json();
    cr_expect_str_eq(json_string_value(json_object_get(json, "message")), message);
    json_decref(json);
}

static void expect_text(const char *expected)
{
    fclose(stderr);
    read_lines();
    cr_assert_gt(strlen(line), strlen("2026-11-21T13:17:00.123Z "), "%s", line);
    int at = 0;
    int year;
    int rest[6];
    int found = sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &rest[0], &rest[1], &rest[2],
                       &rest[3], &rest[4], &rest[5], &at);
    cr_expect_eq(found, 7, "%s", line);
    cr_expect_str_eq(line + at, expected);
}

Test(log, text_is_time_level_message)
{
    begin(LOG_INFO, LOG_TEXT);
    log_warning(&sink.logger, "listening on %s", "unix:/x");
    expect_text("warning listening on unix:/x\n");
}

Test(log, text_holds_no_control_characters)
{
    begin(LOG_INFO, LOG_TEXT);
    log_error(&sink.logger, "a\nb\rc\td\x1b[31m\x7f\x01 \xc3\xa4~");
    expect_text("error a?b?c?d?[31m?? \xc3\xa4~\n");
}

Test(log, lines_above_the_level_are_not_written)
{
    begin(LOG_WARNING, LOG_TEXT);
    log_debug(&sink.logger, "debug");
    log_info(&sink.logger, "info");
    log_warning(&sink.logger, "kept");
    expect_text("warning kept\n");
}

Test(log, long_message_is_cut)
{
    static char message[3000];
    memset(message, 'm', sizeof(message) - 1);
    begin(LOG_INFO, LOG_TEXT);
    log_info(&sink.logger, "%s", message);
    fclose(stderr);
    read_lines();
    cr_expect_eq(strlen(strchr(line, 'm')), 2047 + 1);
    cr_expect_eq(line[strlen(line) - 1], '\n');
}

Test(log, json_parses)
{
    begin(LOG_INFO, LOG_JSON);
    log_info(&sink.logger, "a\nb \"quoted\" \\ \x01 \xc3\xa4");
    json_t *json = read_json();
    cr_expect_str_eq(json_string_value(json_object_get(json, "level")), "info");
    cr_expect_str_eq(json_string_value(json_object_get(json, "message")),
                     "a\nb \"quoted\" \\ \x01 \xc3\xa4");
    json_decref(json);
}

Test(log, json_stands_for_text_that_is_no_utf8)
{
    begin(LOG_INFO, LOG_JSON);
    log_info(&sink.logger, "upstream says \xff");
    expect_json_message("a message that is not UTF-8");
}

/* Cut between the two bytes of a letter. */
Test(log, json_of_a_long_message_stays_utf8)
{
    static char message[3001];
    for (size_t i = 0; i < sizeof(message) - 1; i += 2)
        memcpy(message + i, "\xc3\xa4", 2);
    begin(LOG_INFO, LOG_JSON);
    log_info(&sink.logger, "%s", message);
    message[2046] = '\0';
    expect_json_message(message);
}
