/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process keeps of malloc's memory: messages come and go, and glibc by itself gives pages
 * back that the next message wants again, and keeps what thousands of clients have left behind.
 */
#ifndef DAEMON_MEMORY_H
#define DAEMON_MEMORY_H

#include <event2/event.h>

/* Sets malloc up. Once, before there is much of it. */
void memory_set_up(void);

/* An event for memory_clients_left(), to be freed by event_free(). */
struct event *memory_trim_new(struct event_base *loop);

/* What is free is given back to the kernel before long, for all that leave until then. */
void memory_clients_left(struct event *trim);

#endif
