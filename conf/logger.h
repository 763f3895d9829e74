/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the lower folders say to the operator. They call these; the daemon decides where a line goes
 * and how it looks (daemon/log.c). A line names its subject, never holds a secret, and never ends
 * in a newline.
 */
#ifndef CONF_LOGGER_H
#define CONF_LOGGER_H

#include <stdarg.h>

#define LOG_LEVELS(X)                                                                              \
    X(ERROR, "error")                                                                              \
    X(WARNING, "warning")                                                                          \
    X(INFO, "info")                                                                                \
    X(DEBUG, "debug")

#define X(name, text) LOG_##name,
enum log_level { LOG_LEVELS(X) };
#undef X

enum log_format { LOG_TEXT, LOG_JSON };

struct logger {
    enum log_level level; /* lines above it are not written */
    void (*write)(struct logger *logger, enum log_level level, const char *format,
                  va_list arguments);
};

/* Writes one line when the logger's level lets it. */
void logger_say(struct logger *logger, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(logger, ...)   logger_say(logger, LOG_ERROR, __VA_ARGS__)
#define log_warning(logger, ...) logger_say(logger, LOG_WARNING, __VA_ARGS__)
#define log_info(logger, ...)    logger_say(logger, LOG_INFO, __VA_ARGS__)
#define log_debug(logger, ...)   logger_say(logger, LOG_DEBUG, __VA_ARGS__)

#endif
