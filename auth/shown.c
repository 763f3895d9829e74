/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/shown.h"

#include <strings.h>

#include "proto/base64.h"

/* Takes "Basic " off the front of the text. Schemes are of any case (RFC 9110 11.1). */
static bool take_scheme(struct span *text, const char *scheme)
{
    size_t length = strlen(scheme);
    if (text->length <= length || strncasecmp((const char *)text->at, scheme, length) != 0 ||
        text->at[length] != ' ')
        return false;
    *text = span_of(text->at + length, text->length - length);
    while (text->length > 0 && *text->at == ' ')
        *text = span_of(text->at + 1, text->length - 1);
    return true;
}

/* Into shown->text; the bytes written, or -1. */
static ptrdiff_t write_text(struct span value, struct shown *shown)
{
    bool bearer = take_scheme(&value, "Bearer");
    if (!bearer)
        (void)take_scheme(&value, "Basic");
    if (!bearer && base64_bound(value.length) <= SHOWN_MAX)
        return base64_decode(value, (uint8_t *)shown->text);
    if (!bearer || value.length > SHOWN_MAX)
        return -1;
    memcpy(shown->text, value.at, value.length);
    return (ptrdiff_t)value.length;
}

bool shown_read(struct span authorization, struct shown *shown)
{
    ptrdiff_t length = write_text(authorization, shown);
    const char *colon = length > 0 ? memchr(shown->text, ':', (size_t)length) : NULL;
    if (!colon)
        return false;
    const char *end = shown->text + length;
    shown->name = span_of(shown->text, (size_t)(colon - shown->text));
    shown->secret = span_of(colon + 1, (size_t)(end - colon - 1));
    return true;
}

void shown_for_milvus(struct span authorization, struct wiped *to)
{
    if (take_scheme(&authorization, "Bearer")) {
        base64_encode(authorization, (char *)wiped_room(to, BASE64_SIZE(authorization.length)));
        return;
    }
    (void)take_scheme(&authorization, "Basic");
    wiped_add(to, authorization);
}

void shown_wipe(struct shown *shown)
{
    explicit_bzero(shown, sizeof(*shown));
}
