/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room for messages that are larger than a stream's window. A small message comes unasked; a larger
 * one is let in, by opening its window, when limits.http2.max_buffered has room for all of it.
 * Until then the client keeps it.
 */
#include "daemon/call.h"

static bool fits(const struct caller *owner, size_t size)
{
    return owner->buffered + size <= caller_conf(owner)->limits.http2.max_buffered;
}

static void start(struct call *call, size_t room)
{
    if (!grpc_reader_start(&call->reader, room))
        call_refuse(call, CODE_RESOURCE_EXHAUSTED, "no memory for a message of %zu bytes",
                    grpc_reader_size(&call->reader));
}

static void let_in(struct call *call, size_t size)
{
    call->owner->buffered += size;
    call->reserved = size;
    if (call->kind == &call_unary) /* it has one message; a stream's window would stay wide */
        h2_widen(call->stream, size + GRPC_PREFIX_SIZE);
    h2_consume(call->stream, call->window);
    call->window = 0;
    call_unary_wait(call);
    start(call, size);
}

/* In the order of their arrival: a very large one is not passed by for ever. */
void call_reserve(struct call *call, size_t size)
{
    struct caller *owner = call->owner;
    size_t unasked = caller_conf(owner)->limits.http2.stream_window;
    if (size + GRPC_PREFIX_SIZE <= unasked) {
        start(call, size);
    } else if (TAILQ_EMPTY(&owner->large) && fits(owner, size)) {
        let_in(call, size);
    } else {
        call->is_large = true;
        TAILQ_INSERT_TAIL(&owner->large, call, large_link);
        start(call, unasked);
    }
}

void caller_release(struct caller *owner, size_t reserved)
{
    struct call *call;
    owner->buffered -= reserved;
    while ((call = TAILQ_FIRST(&owner->large)) && fits(owner, grpc_reader_size(&call->reader))) {
        TAILQ_REMOVE(&owner->large, call, large_link);
        call->is_large = false;
        let_in(call, grpc_reader_size(&call->reader));
    }
}
