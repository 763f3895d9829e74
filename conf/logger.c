/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/logger.h"

void logger_say(struct logger *logger, enum log_level level, const char *format, ...)
{
    if (level > logger->level)
        return;
    va_list arguments;
    va_start(arguments, format);
    logger->write(logger, level, format, arguments);
    va_end(arguments);
}
