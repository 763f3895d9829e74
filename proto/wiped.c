/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wiped.h"

#include <stdlib.h>

#define GROW_START 256u /* bytes */

static void grow(struct wiped *wiped, size_t need)
{
    size_t room = wiped->room ? wiped->room * 2 : GROW_START;
    struct wiped grown = {.room = room < need ? need : room};
    grown.at = malloc(grown.room);
    if (!grown.at)
        abort();
    if (wiped->length > 0)
        memcpy(grown.at, wiped->at, wiped->length);
    grown.length = wiped->length;
    wiped_clear(wiped);
    *wiped = grown;
}

uint8_t *wiped_room(struct wiped *wiped, size_t length)
{
    if (wiped->room - wiped->length < length)
        grow(wiped, wiped->length + length);
    wiped->length += length;
    return wiped->at + wiped->length - length;
}

void wiped_add(struct wiped *wiped, struct span bytes)
{
    if (bytes.length > 0)
        memcpy(wiped_room(wiped, bytes.length), bytes.at, bytes.length);
}

void wiped_clear(struct wiped *wiped)
{
    if (wiped->length > 0)
        explicit_bzero(wiped->at, wiped->length);
    free(wiped->at);
    *wiped = (struct wiped){0};
}
