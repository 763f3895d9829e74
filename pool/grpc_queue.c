/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_queue.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct grpc_queue {
    grpc_completion_queue *core;
    pthread_t thread;
    _Atomic(struct grpc_tag *) ended; /* newest first */
    int wake;
    struct event *woken;
};

static void hand_over(struct grpc_queue *queue, struct grpc_tag *tag)
{
    struct grpc_tag *head = atomic_load_explicit(&queue->ended, memory_order_relaxed);
    do {
        tag->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&queue->ended, &head, tag, memory_order_release,
                                                    memory_order_relaxed));
    if (!head)
        eventfd_write(queue->wake, 1);
}

static void *take_events(void *argument)
{
    struct grpc_queue *queue = argument;
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(queue->core, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        struct grpc_tag *tag = event.tag;
        atomic_exchange_explicit(&tag->out, false, memory_order_acquire);
        tag->succeeded = event.success != 0;
        hand_over(queue, tag);
    }
}

static struct grpc_tag *take_in_order(struct grpc_queue *queue)
{
    struct grpc_tag *newest = atomic_exchange_explicit(&queue->ended, NULL, memory_order_acquire);
    struct grpc_tag *oldest = NULL;
    while (newest) {
        struct grpc_tag *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void deliver(struct grpc_queue *queue)
{
    struct grpc_tag *tag = take_in_order(queue);
    while (tag) {
        struct grpc_tag *next = tag->next;
        tag->ended(tag);
        tag = next;
    }
}

static void on_wake(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    eventfd_t count;
    eventfd_read(fd, &count);
    deliver(argument);
}

/* Signals belong to the loop's thread. */
static int start_thread(struct grpc_queue *queue)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&queue->thread, NULL, take_events, queue);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct grpc_queue *grpc_queue_new(struct event_base *loop)
{
    struct grpc_queue *queue = calloc(1, sizeof(*queue));
    if (!queue)
        return NULL;
    queue->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (queue->wake < 0)
        goto no_eventfd;
    queue->woken = event_new(loop, queue->wake, EV_READ | EV_PERSIST, on_wake, queue);
    if (!queue->woken || event_add(queue->woken, NULL) != 0)
        goto no_event;
    queue->core = grpc_completion_queue_create_for_next(NULL);
    errno = start_thread(queue);
    if (errno != 0)
        goto no_thread;
    return queue;
no_thread:
    grpc_completion_queue_shutdown(queue->core);
    grpc_completion_queue_destroy(queue->core);
no_event:
    if (queue->woken)
        event_free(queue->woken);
    close(queue->wake);
no_eventfd:
    free(queue);
    return NULL;
}

grpc_completion_queue *grpc_queue_core(struct grpc_queue *queue)
{
    return queue->core;
}

void grpc_queue_free(struct grpc_queue *queue)
{
    grpc_completion_queue_shutdown(queue->core);
    pthread_join(queue->thread, NULL);
    deliver(queue);
    grpc_completion_queue_destroy(queue->core);
    event_free(queue->woken);
    close(queue->wake);
    free(queue);
}
