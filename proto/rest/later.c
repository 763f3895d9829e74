/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/later.h"

#include <stdlib.h>

struct later {
    struct later *next;
    const char *method;
    struct buffer message;
};

static void free_all(void *own)
{
    struct later *next;
    for (struct later *later = own; later; later = next) {
        next = later->next;
        buffer_clear(&later->message);
        free(later);
    }
}

void rest_later(struct rest *rest, const char *method, struct buffer *message)
{
    struct later *later = calloc(1, sizeof(*later));
    if (!later)
        abort();
    later->method = method;
    later->message = *message;
    *message = (struct buffer){0};
    struct later *last = rest->own;
    while (last && last->next)
        last = last->next;
    if (last)
        last->next = later;
    else
        rest->own = later;
    rest->free_own = free_all;
}

bool rest_ask_later(struct rest *rest)
{
    struct later *later = rest->own;
    if (!later)
        return false;
    rest->own = later->next;
    rest_ask(rest, later->method, &later->message);
    free(later);
    return true;
}
