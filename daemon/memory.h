/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process keeps of memory that is free: the allocator, mimalloc, keeps it for the next
 * message, and what thousands of clients or large messages have left behind as well.
 */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include <event2/event.h>

/* An event for memory_clients_left(), to be freed by event_free(). */
struct event *memory_trim_new(struct event_base *loop);

/* What is free is given back to the kernel before long, for all that leave until then. */
void memory_clients_left(struct event *trim);

#endif
