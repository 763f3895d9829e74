/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/print.h"

#include <stdlib.h>

#include "proto/rest/default.h"

typedef bool visitor(const struct wire_field *field, void *context);

/* Goes through the fields at a path, in their order. */
static bool each(struct span message, const uint8_t *path, visitor *visit, void *context)
{
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number != path[0])
            continue;
        if (path[1] == 0 && !visit(&field, context))
            return false;
        if (path[1] != 0 && field.type == WIRE_BYTES &&
            !each(field.bytes, path + 1, visit, context))
            return false;
    }
    return read == WIRE_END;
}

static bool keep_last(const struct wire_field *field, void *context)
{
    *(struct wire_field *)context = *field;
    return true;
}

bool rest_last(struct span message, const uint8_t *path, struct wire_field *ret_field)
{
    *ret_field = (struct wire_field){0};
    return each(message, path, keep_last, ret_field);
}

/* ---- KeyValuePairs and maps, which are alike on the wire ---- */

struct pair {
    struct span key;
    struct span value; /* a text's */
    int64_t number;    /* a number's */
};

static bool read_pair(const struct wire_field *entry, struct pair *ret_pair)
{
    *ret_pair = (struct pair){.key = span_text("")};
    struct span message = entry->bytes;
    struct wire_field field;
    enum wire_read read;
    while ((read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number == 1 && field.type == WIRE_BYTES)
            ret_pair->key = field.bytes;
        if (field.number == 2 && field.type == WIRE_BYTES)
            ret_pair->value = field.bytes;
        if (field.number == 2 && field.type == WIRE_VARINT)
            ret_pair->number = (int64_t)field.value;
    }
    return read == WIRE_END;
}

struct wanted {
    const char *key;
    struct span value;
};

static bool want_pair(const struct wire_field *entry, void *context)
{
    struct wanted *wanted = context;
    struct pair pair;
    if (!read_pair(entry, &pair))
        return false;
    if (span_is(pair.key, wanted->key))
        wanted->value = pair.value;
    return true;
}

bool rest_pair(struct span message, const uint8_t *path, const char *key, struct span *ret_value)
{
    struct wanted wanted = {.key = key};
    bool good = each(message, path, want_pair, &wanted);
    *ret_value = wanted.value;
    return good;
}

static bool print_pair(const struct wire_field *entry, void *context)
{
    struct jwriter *writer = context;
    struct pair pair;
    if (!read_pair(entry, &pair))
        return false;
    jwriter_object(writer);
    jwriter_key(writer, span_text("key"));
    jwriter_text(writer, pair.key);
    jwriter_key(writer, span_text("value"));
    jwriter_text(writer, pair.value);
    jwriter_object_end(writer);
    return true;
}

static bool print_count(const struct wire_field *entry, void *context)
{
    struct jwriter *writer = context;
    struct pair pair;
    if (!read_pair(entry, &pair))
        return false;
    jwriter_key(writer, pair.key);
    jwriter_int(writer, pair.number);
    return true;
}

/* ---- lists ---- */

static bool print_text(const struct wire_field *field, void *context)
{
    jwriter_text(context, field->bytes);
    return true;
}

struct objects {
    const struct rest_shape *shape;
    struct jwriter *writer;
};

static bool print_object(const struct wire_field *field, void *context)
{
    struct objects *objects = context;
    jwriter_object(objects->writer);
    bool good = rest_print_fields(field->bytes, objects->shape, objects->writer);
    jwriter_object_end(objects->writer);
    return good;
}

static bool join_text(const struct wire_field *field, void *context)
{
    struct buffer *joined = context;
    if (joined->size > 0)
        buffer_add_byte(joined, ',');
    buffer_add(joined, field->bytes);
    return true;
}

static bool print_joined(struct span message, const struct rest_field *field,
                         struct jwriter *writer)
{
    struct buffer joined = {0};
    bool good = each(message, field->path, join_text, &joined);
    jwriter_text(writer, buffer_span(&joined));
    buffer_clear(&joined);
    return good;
}

static bool print_list(struct span message, const struct rest_field *field, struct jwriter *writer)
{
    struct objects objects = {.shape = field->shape, .writer = writer};
    bool good;
    jwriter_array(writer);
    if (field->kind == REST_OBJECTS)
        good = each(message, field->path, print_object, &objects);
    else
        good =
            each(message, field->path, field->kind == REST_TEXTS ? print_text : print_pair, writer);
    jwriter_array_end(writer);
    return good;
}

/* ---- a value alone ---- */

static void print_word(uint64_t value, const ProtobufCEnumDescriptor *words, struct jwriter *writer)
{
    const ProtobufCEnumValue *word = protobuf_c_enum_descriptor_get_value(words, (int)value);
    if (word)
        jwriter_text(writer, span_text(word->name));
    else
        jwriter_int_text(writer, (int64_t)value);
}

/* A text as a number, where it is one. */
static void print_row_count(struct span text, struct jwriter *writer)
{
    uint64_t number = 0;
    size_t digits = 0;
    while (digits < text.length && digits < 18 && text.at[digits] >= '0' && text.at[digits] <= '9')
        number = number * 10 + (text.at[digits++] - '0');
    if (digits == text.length)
        jwriter_int(writer, (int64_t)number);
    else
        jwriter_text(writer, text);
}

static bool print_pair_of(struct span message, const struct rest_field *field,
                          struct jwriter *writer)
{
    struct span value;
    bool good = rest_pair(message, field->path, field->pair, &value);
    if (field->kind == REST_PAIR_COUNT)
        print_row_count(value, writer);
    else
        jwriter_text(writer, value);
    return good;
}

static bool print_scalar(const struct wire_field *value, const struct rest_field *field,
                         struct jwriter *writer)
{
    struct objects objects = {.shape = field->shape, .writer = writer};
    switch (field->kind) {
    case REST_INT:
        jwriter_int(writer, (int64_t)value->value);
        return true;
    case REST_JOB:
        jwriter_int_text(writer, (int64_t)value->value);
        return true;
    case REST_BOOL:
        jwriter_bool(writer, value->value != 0);
        return true;
    case REST_WORD:
        print_word(value->value, field->words, writer);
        return true;
    case REST_VALUE:
        return rest_print_default(value->bytes, writer);
    case REST_OBJECT:
        return print_object(value, &objects);
    case REST_TEXT:
        return print_text(value, writer);
    default:
        abort(); /* what requests alone have; routes.def is checked */
    }
}

bool rest_print_value(struct span message, const struct rest_field *field, struct jwriter *writer)
{
    struct wire_field value;
    switch (field->kind) {
    case REST_TEXTS:
    case REST_OBJECTS:
    case REST_PAIR_LIST:
        return print_list(message, field, writer);
    case REST_JOINED:
        return print_joined(message, field, writer);
    case REST_PAIR_VALUE:
    case REST_PAIR_COUNT:
        return print_pair_of(message, field, writer);
    case REST_COUNTS:
        jwriter_object(writer);
        bool good = each(message, field->path, print_count, writer);
        jwriter_object_end(writer);
        return good;
    default:
        return rest_last(message, field->path, &value) && print_scalar(&value, field, writer);
    }
}

bool rest_print_fields(struct span message, const struct rest_shape *shape, struct jwriter *writer)
{
    for (size_t i = 0; i < shape->count; i++) {
        const struct rest_field *field = &shape->fields[i];
        struct wire_field last;
        if (!rest_last(message, field->path, &last))
            return false;
        if (!field->needed && last.number == 0)
            continue;
        jwriter_key(writer, span_text(field->key));
        if (!rest_print_value(message, field, writer))
            return false;
    }
    return true;
}
