/* SPDX-License-Identifier: Apache-2.0 */
/* JSON into protobuf, as shapes say it. False, wherever it is returned: the body is wrong, and that
 * has been answered with a message that names the place. */
#ifndef PROTO_REST_PUT_H
#define PROTO_REST_PUT_H

#include "proto/rest/route.h"

/* Where in a body a value stands. */
struct rest_place {
    const struct rest_place *outer; /* NULL: in the body itself */
    struct span key;                /* of a member; without text: an element */
    size_t index;                   /* of an element */
};

#define REST_PLACE_MAX 256 /* bytes of a place in print, with its NUL */

/* "schema.fields[3].dataType"; of one that is too long, its end. Returns its start in `to`. */
const char *rest_place_print(const struct rest_place *place, char to[REST_PLACE_MAX]);

static inline struct rest_place rest_place_key(const struct rest_place *outer, const char *key)
{
    return (struct rest_place){.outer = outer, .key = span_text(key)};
}

static inline struct rest_place rest_place_element(const struct rest_place *outer, size_t index)
{
    return (struct rest_place){.outer = outer, .index = index};
}

/* Answers "PLACE: a string where a number is wanted"; returns false. */
bool rest_wrong_kind(struct rest *rest, const struct rest_place *place, struct jvalue value,
                     const char *wanted);

/* Answers code and "PLACE: what"; returns false. */
bool rest_wrong(struct rest *rest, int32_t code, const struct rest_place *place, const char *what);

/* Answers that a field which is required is missing; returns false. */
bool rest_missing(struct rest *rest, const struct rest_place *place);

/* Whether the value is of that kind (J_TRUE: either bool); else answered. */
bool rest_is(struct rest *rest, const struct rest_place *place, struct jvalue value,
             enum jkind kind);

/* Whether the value is an array of at most so many elements; else answered. */
bool rest_is_list(struct rest *rest, const struct rest_place *place, struct jvalue value,
                  size_t max);

/* Puts what an object has into a message. */
bool rest_put_fields(struct rest *rest, struct jvalue object, const struct rest_shape *shape,
                     const struct rest_place *outer, struct buffer *message);

/* Puts the bytes of a message into the field of that number; the inner one is empty then. */
void rest_put_message(struct buffer *message, uint32_t number, struct buffer *inner);

/* A KeyValuePair, in the field of that number. */
void rest_put_pair(struct buffer *message, uint32_t number, struct span key, struct span value);

/* What each member of an object has, as pairs. */
bool rest_put_pairs(struct rest *rest, struct jvalue object, const struct rest_place *place,
                    uint32_t number, struct buffer *message);

/* A value as a text: a string's own, else its JSON. Good until the scratch is written again. */
struct span rest_json_text(struct rest *rest, struct jvalue value);

/* An object's member; false: there is none, or null. */
bool rest_member(struct jvalue object, const char *key, struct jvalue *ret_value);

/* The same, which is quick where the object is the body. */
bool rest_finds(const struct rest *rest, struct jvalue object, const char *key,
                struct jvalue *ret_value);

/* A whole number from min to max; also as a string, which Milvus writes where a number is large. */
bool rest_int(struct rest *rest, struct jvalue value, const struct rest_place *place, int64_t min,
              int64_t max, int64_t *ret_number);

/* An enum's number, by its name. */
bool rest_word(struct rest *rest, struct jvalue value, const struct rest_place *place,
               const ProtobufCEnumDescriptor *words, int *ret_number);

/* An object's member that is a text; `otherwise` where there is none, or an empty one. Good until
 * the scratch is written again. */
bool rest_text(struct rest *rest, struct jvalue object, const struct rest_place *outer,
               const char *key, const char *otherwise, struct span *ret_text);

#endif
