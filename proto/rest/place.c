/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "proto/rest/put.h"

#define INDEX_MAX 24 /* characters of "[index]" */

/* Written from its end to its start, which is cut off where there is no more room. */
static char *prepend(char *start, char *end, struct span text)
{
    size_t room = (size_t)(end - start);
    if (text.length > room)
        text = span_of(text.at + text.length - room, room);
    end -= text.length;
    if (text.length > 0)
        memcpy(end, text.at, text.length);
    return end;
}

const char *rest_place_print(const struct rest_place *place, char to[REST_PLACE_MAX])
{
    char *at = to + REST_PLACE_MAX - 1;
    *at = '\0';
    for (; place; place = place->outer) {
        char index[INDEX_MAX];
        snprintf(index, sizeof(index), "[%zu]", place->index);
        at = prepend(to, at, place->key.at ? place->key : span_text(index));
        if (place->key.at && place->outer)
            at = prepend(to, at, span_text("."));
    }
    return at;
}

bool rest_wrong(struct rest *rest, int32_t code, const struct rest_place *place, const char *what)
{
    char text[REST_PLACE_MAX];
    rest_fail(rest, code, "%s: %s", rest_place_print(place, text), what);
    return false;
}

bool rest_missing(struct rest *rest, const struct rest_place *place)
{
    return rest_wrong(rest, REST_MISSING, place, "a required field, and missing");
}

bool rest_wrong_kind(struct rest *rest, const struct rest_place *place, struct jvalue value,
                     const char *wanted)
{
    char text[REST_PLACE_MAX];
    rest_fail(rest, REST_PARAMETER_INVALID, "%s: %s where %s is wanted",
              rest_place_print(place, text), jvalue_kind_name(value), wanted);
    return false;
}

bool rest_is(struct rest *rest, const struct rest_place *place, struct jvalue value,
             enum jkind kind)
{
    static const char *const wanted[] = {
        [J_TRUE] = "a boolean", [J_NUMBER] = "a number",  [J_STRING] = "a string",
        [J_ARRAY] = "an array", [J_OBJECT] = "an object",
    };
    enum jkind is = jvalue_kind(value);
    if (is == kind || (kind == J_TRUE && is == J_FALSE))
        return true;
    return rest_wrong_kind(rest, place, value, wanted[kind]);
}

bool rest_is_list(struct rest *rest, const struct rest_place *place, struct jvalue value,
                  size_t max)
{
    char text[REST_PLACE_MAX];
    if (!rest_is(rest, place, value, J_ARRAY))
        return false;
    if (jvalue_count(value) <= max)
        return true;
    rest_fail(rest, REST_PARAMETER_INVALID, "%s: more than %zu elements",
              rest_place_print(place, text), max);
    return false;
}
