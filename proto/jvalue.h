/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) read where it stands: a text is checked once, whole, and then walked through
 * without a copy, an allocation or a loss: numbers stay the digits that they were written with.
 *
 *   struct jvalue top, value;
 *   struct jstring key;
 *   if (!jvalue_check(text, JVALUE_DEPTH, &top, &fault)) ...
 *   struct jiter members = jvalue_iterate(top);
 *   while (jiter_member(&members, &key, &value)) ...
 *
 * The prefix is j, as json_ is jansson's. All but jvalue_check() trust that the text was found good
 * and that a value is of the kind that they are for.
 */
#ifndef PROTO_JVALUE_H
#define PROTO_JVALUE_H

#include "proto/buffer.h"

#define JVALUE_DEPTH 64 /* arrays and objects within each other that a text may have */

enum jkind { J_NULL, J_FALSE, J_TRUE, J_NUMBER, J_STRING, J_ARRAY, J_OBJECT };

/* A value within a checked text, which outlives it. */
struct jvalue {
    const uint8_t *at; /* its first character */
};

/* A string, between its quotes. */
struct jstring {
    struct span raw;
    bool escaped; /* there are backslashes in it */
};

struct jfault {
    size_t offset;    /* bytes into the text */
    const char *what; /* static */
};

/*
 * Checks all of a text: the grammar, UTF-8 (RFC 3629), surrogates in pairs, the depth. It is one
 * object or array, with nothing but white space around it.
 */
bool jvalue_check(struct span text, unsigned depth, struct jvalue *ret_top,
                  struct jfault *ret_fault) __attribute__((warn_unused_result));

/* Where the members of the outermost object stand, found while it is checked: what is long is not
 * walked over again to find what stands behind it. */
#define JINDEX_MAX 32
struct jindex {
    size_t count; /* of members; of more than JINDEX_MAX none can be found here */
    struct {
        struct jstring key;
        struct jvalue value;
    } members[JINDEX_MAX];
};

/* jvalue_check() that fills in the index; of an array it stays empty. */
bool jvalue_check_members(struct span text, unsigned depth, struct jvalue *ret_top,
                          struct jindex *ret_index, struct jfault *ret_fault)
    __attribute__((warn_unused_result));

/* The object or array of a text that was found good before. */
struct jvalue jvalue_of(struct span text);

enum jkind jvalue_kind(struct jvalue value);

/* "a number", "an object": for errors. Static text. */
const char *jvalue_kind_name(struct jvalue value);

/* The value's characters, as they stand. */
struct span jvalue_text(struct jvalue value);

/* The character behind the value. */
const uint8_t *jvalue_end(struct jvalue value);

struct jstring jvalue_string(struct jvalue value);
bool jstring_is(struct jstring string, const char *text);

/* The string's text, in UTF-8, escapes resolved: never longer than raw. jstring_write() returns how
 * many bytes it wrote. */
size_t jstring_write(struct jstring string, uint8_t *to);
void jstring_add(struct jstring string, struct buffer *to);

/* The text without a copy where nothing is escaped; else written to the end of `scratch`, where it
 * stays until the next write. */
struct span jstring_text(struct jstring string, struct buffer *scratch);

/*
 * Goes through an array's elements, or an object's members, in their order. A value that the caller
 * has read to its end need not be skipped again: jiter_passed() says where that is.
 */
struct jiter {
    const uint8_t *at;
    bool on_value; /* at is the value that was given last */
};

struct jiter jvalue_iterate(struct jvalue container);
bool jiter_element(struct jiter *iter, struct jvalue *ret_value);
bool jiter_member(struct jiter *iter, struct jstring *ret_key, struct jvalue *ret_value);
static inline void jiter_passed(struct jiter *iter, const uint8_t *end)
{
    iter->at = end;
    iter->on_value = false;
}

/* Behind the container, once all of it has been gone through. */
const uint8_t *jiter_end(const struct jiter *iter);

size_t jvalue_count(struct jvalue container);

/* The object's member of that name, of several the last; false: there is none. */
bool jvalue_find(struct jvalue object, const char *key, struct jvalue *ret_value);

#endif
