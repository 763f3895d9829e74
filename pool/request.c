/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/request.h"

#include <stdarg.h>
#include <stdio.h>

#include "pool/clock.h"

void request_timer(struct request *request, struct event_base *loop, int64_t at,
                   event_callback_fn fired)
{
    request_timer_stop(request);
    struct timeval wait = clock_wait(at - clock_now());
    event_assign(&request->timer, loop, -1, 0, fired, request);
    event_add(&request->timer, &wait);
}

void request_timer_stop(struct request *request)
{
    if (event_initialized(&request->timer))
        event_del(&request->timer);
}

void request_end(struct request *request, const struct outcome *outcome)
{
    request_timer_stop(request);
    request->state = REQUEST_IDLE;
    request->ended(request, outcome);
}

/* What a client or a peer wrote may be part of it. */
static void keep_printable(char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            *text = '?';
    }
}

void request_message(char to[REQUEST_MESSAGE_MAX], struct span database, enum phase phase,
                     const char *format, va_list arguments)
{
    int length = snprintf(to, REQUEST_MESSAGE_MAX, "milvus-bouncer: database %.*s: %s: ",
                          SPAN_ARGS(span_cut(database, REQUEST_DATABASE_MAX)), phase_name(phase));
    vsnprintf(to + length, REQUEST_MESSAGE_MAX - (size_t)length, format, arguments);
    keep_printable(to);
}

void request_fail(struct request *request, enum code code, enum phase phase, const char *format,
                  ...)
{
    char message[REQUEST_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    request_message(message, request->named, phase, format, arguments);
    va_end(arguments);
    struct outcome outcome = {.code = code, .phase = phase, .message = span_text(message)};
    request_end(request, &outcome);
}
