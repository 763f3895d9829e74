/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/result.h"

#include <stdlib.h>

#include "proto/wire.h"

#define COLUMNS_MAX 4096

static struct result_column *add_column(struct result *result)
{
    if (result->count == COLUMNS_MAX)
        return NULL;
    if (result->count == result->room) {
        size_t room = result->room > 0 ? 2 * result->room : 8;
        void *columns = realloc(result->columns, room * sizeof(*result->columns));
        if (!columns)
            return NULL;
        result->columns = columns;
        result->room = room;
    }
    return &result->columns[result->count++];
}

const char *result_read(struct span message, uint32_t number, struct result *ret_result)
{
    struct result result = {0};
    struct wire_field field;
    enum wire_read read = WIRE_END;
    const char *why = NULL;
    while (!why && (read = wire_next(&message, &field)) == WIRE_FIELD) {
        if (field.number != number)
            continue;
        struct result_column *column = field.type == WIRE_BYTES ? add_column(&result) : NULL;
        why = column ? result_column_read(field.bytes, column) : "malformed";
    }
    if (!why && read != WIRE_END)
        why = "malformed";
    if (why)
        result_clear(&result);
    else
        *ret_result = result;
    return why;
}

void result_clear(struct result *result)
{
    free(result->columns);
    *result = (struct result){0};
}

const char *result_expect(const struct result *result, size_t rows)
{
    for (size_t i = 0; i < result->count; i++) {
        if (result_column_rows(&result->columns[i]) != rows)
            return "of another number of rows than others";
    }
    return NULL;
}

static bool is_reserved(const struct result_names *names, struct span name)
{
    for (const char *const *reserved = names->reserved; *reserved; reserved++) {
        if (span_is(name, *reserved))
            return true;
    }
    return false;
}

static bool is_named(const struct result_names *names, struct span name)
{
    struct span message = names->message;
    struct wire_field field;
    while (wire_next(&message, &field) == WIRE_FIELD) {
        if (field.number == names->number && span_equal(field.bytes, name))
            return true;
    }
    return false;
}

static bool has_names(const struct result_names *names)
{
    struct span message = names->message;
    struct wire_field field;
    while (wire_next(&message, &field) == WIRE_FIELD) {
        if (field.number == names->number)
            return true;
    }
    return false;
}

static void print_dynamic(struct result_column *column, const struct result_names *names,
                          struct jwriter *writer)
{
    struct span row = result_column_take(column);
    if (row.length == 0 || span_is(row, "null"))
        return;
    bool all = !has_names(names) || is_named(names, column->name) ||
               is_named(names, span_text("*")) || is_named(names, span_text("$meta"));
    struct jiter members = jvalue_iterate(jvalue_of(row));
    struct buffer scratch = {0};
    struct jstring key;
    struct jvalue value;
    while (jiter_member(&members, &key, &value)) {
        scratch.size = 0;
        struct span name = jstring_text(key, &scratch);
        if (is_reserved(names, name) || (!all && !is_named(names, name)))
            continue;
        jwriter_key(writer, name);
        jwriter_raw(writer, jvalue_text(value));
    }
    buffer_clear(&scratch);
}

void result_print_row(const struct rest *rest, struct result *result, size_t row,
                      const struct result_names *names, struct jwriter *writer)
{
    for (size_t i = 0; i < result->count; i++) {
        struct result_column *column = &result->columns[i];
        bool has_value = result_column_has(column, row);
        if (column->is_dynamic) {
            if (has_value)
                print_dynamic(column, names, writer);
        } else if (is_reserved(names, column->name)) {
            if (has_value)
                result_column_skip(column);
        } else {
            jwriter_key(writer, column->name);
            if (has_value)
                result_column_print(rest, column, writer);
            else
                jwriter_null(writer);
        }
    }
}
