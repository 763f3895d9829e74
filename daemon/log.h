/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's log: one line a message on standard error, as text or as JSON. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "conf/logger.h"

/*
 * text: "2026-11-21T13:17:00.123Z warning MESSAGE", control characters as "?";
 * json: {"time": …, "level": …, "message": …}
 */
struct log {
    struct logger logger;
    enum log_format format;
};

void log_open(struct log *log, enum log_level level, enum log_format format);

#endif
