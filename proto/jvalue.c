/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/jvalue.h"

/* ---- skipping ---- */

static const uint8_t *skip_space(const uint8_t *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
    return at;
}

/* From the opening quote to behind the closing one. */
static const uint8_t *string_end(const uint8_t *at, bool *ret_escaped)
{
    *ret_escaped = false;
    for (at++; *at != '"'; at++) {
        if (*at != '\\')
            continue;
        *ret_escaped = true;
        at++;
    }
    return at + 1;
}

/* What is within it is skipped most of the time: numbers, commas. */
static const uint8_t *container_end(const uint8_t *at)
{
    static const bool is_mark[UINT8_MAX + 1] = {
        ['"'] = true, ['{'] = true, ['['] = true, ['}'] = true, [']'] = true};
    unsigned depth = 0;
    bool escaped;
    do {
        while (!is_mark[*at])
            at++;
        if (*at == '"') {
            at = string_end(at, &escaped);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (depth > 0);
    return at;
}

/* A container is around it. */
static const uint8_t *word_end(const uint8_t *at)
{
    while (*at != ',' && *at != ']' && *at != '}' && *at > ' ')
        at++;
    return at;
}

const uint8_t *jvalue_end(struct jvalue value)
{
    bool escaped;
    switch (jvalue_kind(value)) {
    case J_STRING:
        return string_end(value.at, &escaped);
    case J_ARRAY:
    case J_OBJECT:
        return container_end(value.at);
    default:
        return word_end(value.at);
    }
}

struct span jvalue_text(struct jvalue value)
{
    return span_of(value.at, (size_t)(jvalue_end(value) - value.at));
}

/* ---- what it is ---- */

struct jvalue jvalue_of(struct span text)
{
    return (struct jvalue){skip_space(text.at)};
}

enum jkind jvalue_kind(struct jvalue value)
{
    switch (*value.at) {
    case 'n':
        return J_NULL;
    case 'f':
        return J_FALSE;
    case 't':
        return J_TRUE;
    case '"':
        return J_STRING;
    case '[':
        return J_ARRAY;
    case '{':
        return J_OBJECT;
    default:
        return J_NUMBER;
    }
}

const char *jvalue_kind_name(struct jvalue value)
{
    static const char *const names[] = {
        [J_NULL] = "null",       [J_FALSE] = "a boolean", [J_TRUE] = "a boolean",
        [J_NUMBER] = "a number", [J_STRING] = "a string", [J_ARRAY] = "an array",
        [J_OBJECT] = "an object"};
    return names[jvalue_kind(value)];
}

/* ---- strings ---- */

struct jstring jvalue_string(struct jvalue value)
{
    struct jstring string;
    const uint8_t *end = string_end(value.at, &string.escaped);
    string.raw = span_of(value.at + 1, (size_t)(end - value.at) - 2);
    return string;
}

static uint32_t hex_unit(const uint8_t *at)
{
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    return unit;
}

static size_t put_utf8(uint8_t *to, uint32_t point)
{
    if (point < 0x80) {
        to[0] = (uint8_t)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, point >>= 6)
        to[i] = (uint8_t)(0x80 | (point & 0x3f));
    to[0] = (uint8_t)(0xf00 >> length | point);
    return length;
}

/* Behind "\u"; a surrogate's other half follows. */
static const uint8_t *write_unicode(const uint8_t *at, uint8_t **to)
{
    uint32_t unit = hex_unit(at);
    at += 4;
    if (unit >= 0xd800 && unit < 0xdc00) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (hex_unit(at + 2) - 0xdc00);
        at += 6;
    }
    *to += put_utf8(*to, unit);
    return at;
}

/* Behind the backslash. */
static const uint8_t *write_escape(const uint8_t *at, uint8_t **to)
{
    static const char letters[] = "bfnrt";
    static const char bytes[] = "\b\f\n\r\t";
    if (*at == 'u')
        return write_unicode(at + 1, to);
    const char *letter = strchr(letters, *at);
    *(*to)++ = letter ? (uint8_t)bytes[letter - letters] : *at;
    return at + 1;
}

size_t jstring_write(struct jstring string, uint8_t *to)
{
    const uint8_t *at = string.raw.at;
    const uint8_t *end = at + string.raw.length;
    const uint8_t *start = to;
    while (at < end) {
        if (*at == '\\')
            at = write_escape(at + 1, &to);
        else
            *to++ = *at++;
    }
    return (size_t)(to - start);
}

void jstring_add(struct jstring string, struct buffer *to)
{
    if (string.escaped)
        buffer_grow(to, jstring_write(string, buffer_room(to, string.raw.length)));
    else
        buffer_add(to, string.raw);
}

struct span jstring_text(struct jstring string, struct buffer *scratch)
{
    if (!string.escaped)
        return string.raw;
    size_t before = scratch->size;
    jstring_add(string, scratch);
    struct span all = buffer_span(scratch);
    return span_of(all.at + before, all.length - before);
}

/* Each byte of the text that is compared comes of one byte that is written, or of an escape. */
bool jstring_is(struct jstring string, const char *text)
{
    if (!string.escaped)
        return span_is(string.raw, text);
    struct buffer scratch = {0};
    bool same = span_is(jstring_text(string, &scratch), text);
    buffer_clear(&scratch);
    return same;
}

/* ---- containers ---- */

struct jiter jvalue_iterate(struct jvalue container)
{
    return (struct jiter){.at = container.at + 1};
}

/* Where the next element or member begins. False: at the closing bracket. */
static bool advance(struct jiter *iter)
{
    if (iter->on_value)
        jiter_passed(iter, jvalue_end((struct jvalue){iter->at}));
    iter->at = skip_space(iter->at);
    if (*iter->at == ',')
        iter->at = skip_space(iter->at + 1);
    return *iter->at != ']' && *iter->at != '}';
}

static void give(struct jiter *iter, struct jvalue *ret_value)
{
    iter->on_value = true;
    ret_value->at = iter->at;
}

bool jiter_element(struct jiter *iter, struct jvalue *ret_value)
{
    if (!advance(iter))
        return false;
    give(iter, ret_value);
    return true;
}

bool jiter_member(struct jiter *iter, struct jstring *ret_key, struct jvalue *ret_value)
{
    if (!advance(iter))
        return false;
    *ret_key = jvalue_string((struct jvalue){iter->at});
    iter->at = skip_space(ret_key->raw.at + ret_key->raw.length + 1);
    iter->at = skip_space(iter->at + 1);
    give(iter, ret_value);
    return true;
}

const uint8_t *jiter_end(const struct jiter *iter)
{
    return iter->at + 1;
}

size_t jvalue_count(struct jvalue container)
{
    bool is_object = jvalue_kind(container) == J_OBJECT;
    struct jiter iter = jvalue_iterate(container);
    struct jstring key;
    struct jvalue value;
    size_t count = 0;
    while (is_object ? jiter_member(&iter, &key, &value) : jiter_element(&iter, &value))
        count++;
    return count;
}

bool jvalue_find(struct jvalue object, const char *key, struct jvalue *ret_value)
{
    struct jiter iter = jvalue_iterate(object);
    struct jstring name;
    struct jvalue value;
    bool found = false;
    while (jiter_member(&iter, &name, &value)) {
        if (!jstring_is(name, key))
            continue;
        *ret_value = value;
        found = true;
    }
    return found;
}
