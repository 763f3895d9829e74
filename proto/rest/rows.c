/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rest/rows.h"

#include <stdlib.h>

#include "proto/rest/column.h"

#define DYNAMIC "$meta" /* the field of keys that have none */

/* A field that may lack values takes a byte a row, also of rows that are but {}: bytes that all of
 * them may take, as times of the body's, and in any case. */
#define LACKING_TIMES 16
#define LACKING_MIN   ((size_t)1 << 20)

struct work {
    struct rest *rest;
    const struct rows *rows;
    struct column *columns; /* one a field of the schema */
    size_t next;            /* the column whose key is expected: rows look alike */
    size_t count;           /* rows that are done */
    size_t lackable;        /* columns that take a byte for each */
    struct schema_field dynamic_field;
    struct column dynamic;
    struct buffer unknown; /* the members of a row that have no field */
};

/* Whether it may be left out of all rows. */
static bool may_be_absent(const struct work *work, const struct schema_field *field)
{
    return (field->is_auto && field->is_primary && work->rows->is_insert) || field->is_output ||
           work->rows->is_partial;
}

static struct column *find_column(struct work *work, struct span name)
{
    size_t count = work->rows->schema->count;
    for (size_t i = 0; i < count; i++) {
        size_t at = (work->next + i) % count;
        if (!span_equal(work->columns[at].field->name, name))
            continue;
        work->next = at + 1;
        return &work->columns[at];
    }
    return NULL;
}

static bool add_value(struct work *work, const struct value_reader *reader, struct column *column,
                      struct jvalue value, const uint8_t **ret_end)
{
    const struct schema_field *field = column->field;
    bool is_auto = field->is_auto && field->is_primary && work->rows->is_insert;
    if (column->rows > work->count)
        return value_fault(reader, "stands twice");
    if (jvalue_kind(value) == J_NULL) {
        *ret_end = jvalue_end(value);
        if (column_may_lack(column) && column->kind)
            column_lack(column);
        if (column_may_lack(column) || is_auto)
            return true;
        return value_fault(reader, "null, and the field is not nullable");
    }
    if (is_auto && !work->rows->schema->takes_auto_id)
        return value_fault(reader, "Milvus makes the values of this field (autoId)");
    if (column->rows < work->count)
        return value_fault(reader, "data[0] has no value for it; all rows have, or none");
    return column_add(column, reader, value, ret_end);
}

static bool add_unknown(struct work *work, const struct value_reader *reader, struct jstring key,
                        struct jvalue value, const uint8_t **ret_end)
{
    if (!work->rows->schema->takes_unknown)
        return value_fault(reader, "no such field, and the collection has no dynamic field");
    if (jstring_is(key, DYNAMIC))
        return value_fault(reader, "the dynamic field's keys stand in the row itself");
    struct span text = jvalue_text(value);
    *ret_end = text.at + text.length;
    buffer_add_byte(&work->unknown, work->unknown.size == 0 ? '{' : ',');
    buffer_add(&work->unknown, span_of(key.raw.at - 1, key.raw.length + 2));
    buffer_add_byte(&work->unknown, ':');
    buffer_add(&work->unknown, text);
    return true;
}

static bool add_member(struct work *work, const struct value_reader *row, struct jstring key,
                       struct jvalue value, const uint8_t **ret_end)
{
    struct value_reader reader = value_member(row, key.raw);
    work->rest->scratch.size = 0;
    struct column *column = find_column(work, jstring_text(key, &work->rest->scratch));
    if (column && !column->field->is_dynamic)
        return add_value(work, &reader, column, value, ret_end);
    return add_unknown(work, &reader, key, value, ret_end);
}

/* What the row had no key for. */
static bool add_lacking(struct work *work, const struct value_reader *row, struct column *column)
{
    struct value_reader reader = value_member(row, column->field->name);
    bool is_partial = work->rows->is_partial;
    if (column->field->is_dynamic)
        return true;
    if (column_may_lack(column) && !is_partial) {
        if (column->kind)
            column_lack(column);
        return true;
    }
    if (!may_be_absent(work, column->field))
        return value_fault(&reader, "missing");
    if (column->rows > 0)
        return value_fault(&reader, "missing; all rows have it, or none");
    return true;
}

static void end_unknown(struct work *work)
{
    if (!work->rows->schema->takes_unknown)
        return;
    buffer_add_byte(&work->unknown, work->unknown.size == 0 ? '{' : '}');
    if (work->unknown.size == 1)
        buffer_add_byte(&work->unknown, '}');
    buffer_put_bytes(&work->dynamic.values, 1, buffer_span(&work->unknown));
    work->unknown.size = 0;
}

static bool add_row(struct work *work, const struct value_reader *row, struct jvalue value,
                    const uint8_t **ret_end)
{
    struct jstring key;
    struct jvalue member;
    const uint8_t *end = NULL;
    if (jvalue_kind(value) != J_OBJECT)
        return value_wrong(row, value, "an object");
    struct jiter members = jvalue_iterate(value);
    work->next = 0;
    while (jiter_member(&members, &key, &member)) {
        if (!add_member(work, row, key, member, &end))
            return false;
        jiter_passed(&members, end);
    }
    *ret_end = jiter_end(&members);
    for (size_t i = 0; i < work->rows->schema->count; i++) {
        struct column *column = &work->columns[i];
        if (column->rows <= work->count && !add_lacking(work, row, column))
            return false;
    }
    end_unknown(work);
    return true;
}

static bool is_too_much(const struct work *work)
{
    size_t body = work->rest->question.body->size;
    return work->count * work->lackable > LACKING_MIN + LACKING_TIMES * body;
}

static bool add_rows(struct work *work)
{
    struct value_reader reader = {
        .rest = work->rest, .code = REST_INVALID_INSERT, .place = {.key = span_text("data")}};
    struct jvalue value;
    const uint8_t *end = NULL;
    if (jvalue_kind(work->rows->data) != J_ARRAY)
        return value_wrong(&reader, work->rows->data, "an array of rows");
    struct jiter rows = jvalue_iterate(work->rows->data);
    for (; jiter_element(&rows, &value); work->count++) {
        struct value_reader row = value_element(&reader, work->count);
        if (is_too_much(work))
            return value_fault(&row, "too many rows for so little text and so many fields");
        if (!add_row(work, &row, value, &end))
            return false;
        jiter_passed(&rows, end);
    }
    return work->count > 0 || value_fault(&reader, "no rows");
}

static void put_columns(struct work *work, struct buffer *message, uint32_t number)
{
    size_t bound = column_bound(&work->dynamic);
    for (size_t i = 0; i < work->rows->schema->count; i++)
        bound += column_bound(&work->columns[i]);
    buffer_room(message, bound);
    for (size_t i = 0; i < work->rows->schema->count; i++) {
        struct column *column = &work->columns[i];
        if (column->rows > 0)
            column_put(column, message, number);
        column_clear(column);
    }
    if (work->rows->schema->takes_unknown)
        column_put(&work->dynamic, message, number);
}

static void clear(struct work *work)
{
    for (size_t i = 0; i < work->rows->schema->count; i++)
        column_clear(&work->columns[i]);
    column_clear(&work->dynamic);
    buffer_clear(&work->unknown);
    free(work->columns);
}

bool rows_put(struct rest *rest, const struct rows *rows, struct buffer *message, uint32_t number,
              size_t *ret_count)
{
    struct work work = {.rest = rest, .rows = rows};
    work.columns = calloc(rows->schema->count, sizeof(*work.columns));
    if (!work.columns)
        abort();
    for (size_t i = 0; i < rows->schema->count; i++) {
        work.columns[i] = column_of(&rows->schema->fields[i]);
        work.lackable += column_may_lack(&work.columns[i]);
    }
    work.dynamic_field = (struct schema_field){
        .name = span_text(DYNAMIC), .type = DATA_TYPE(JSON), .is_dynamic = true};
    work.dynamic = column_of(&work.dynamic_field);
    bool is_read = add_rows(&work);
    if (is_read) {
        put_columns(&work, message, number);
        *ret_count = work.count;
    }
    clear(&work);
    return is_read;
}
