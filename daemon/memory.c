/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/memory.h"

#include <malloc.h>
#include <stdlib.h>

#define KEPT_MAX  (64 << 20) /* bytes that are free at the heap's top and stay there */
#define OWN_PAGES (4 << 20)  /* bytes from which a block is given back at once */

static const struct timeval trim_pause = {.tv_sec = 10};

void memory_set_up(void)
{
    mallopt(M_TRIM_THRESHOLD, KEPT_MAX);
    mallopt(M_MMAP_THRESHOLD, OWN_PAGES);
}

static void on_trim(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what, (void)argument;
    malloc_trim(0);
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
