/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/memory.h"

#include <stdlib.h>
#ifdef MVB_MIMALLOC
#include <mimalloc.h>
#endif

static const struct timeval trim_pause = {.tv_sec = 10};

/* A sanitizer keeps what is freed, to find those who still use it. */
static void give_back(void)
{
#ifdef MVB_MIMALLOC
    mi_collect(true);
#endif
}

static void on_trim(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
    give_back();
}

struct event *memory_trim_new(struct event_base *loop)
{
    struct event *trim = evtimer_new(loop, on_trim, NULL);
    if (!trim)
        abort();
    return trim;
}

void memory_clients_left(struct event *trim)
{
    if (!event_pending(trim, EV_TIMEOUT, NULL))
        event_add(trim, &trim_pause);
}
