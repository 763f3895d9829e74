/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gRPC's completion queue for an event loop: a thread takes what has ended from it and puts it on a
 * lock-free list; the loop is woken by an eventfd when the list was empty, and takes all of it at
 * once.
 */
#ifndef POOL_GRPC_QUEUE_H
#define POOL_GRPC_QUEUE_H

#include <event2/event.h>
#include <grpc/grpc.h>
#include <stdatomic.h>
#include <stdbool.h>

/* What is given to gRPC as a tag. Embedded in whatever waits for it. */
struct grpc_tag {
    struct grpc_tag *next; /* the queue's while it is handed over */
    atomic_bool out;       /* with gRPC; orders the threads' accesses also for ThreadSanitizer */
    bool succeeded;        /* what gRPC says of it, once it has ended */
    void (*ended)(struct grpc_tag *tag); /* on the loop's thread */
};

/* The tag as gRPC takes it. Nobody touches it until ended(). */
static inline void *grpc_tag_out(struct grpc_tag *tag)
{
    atomic_store_explicit(&tag->out, true, memory_order_release);
    return tag;
}

struct grpc_queue;

/* NULL: errno says why. */
struct grpc_queue *grpc_queue_new(struct event_base *loop);

grpc_completion_queue *grpc_queue_core(struct grpc_queue *queue);

/* Waits for every tag still out, calls its ended(), then ends the thread and frees. */
void grpc_queue_free(struct grpc_queue *queue);

#endif
