/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse vectors: pairs of a 32-bit index and a float32, little-endian, by rising index. */
#include <endian.h>
#include <stdlib.h>

#include "proto/number.h"
#include "proto/rest/vector.h"

#define PAIR_SIZE 8

static uint32_t index_at(const uint8_t *pair)
{
    uint32_t index;
    memcpy(&index, pair, sizeof(index));
    return le32toh(index);
}

static void add_pair(struct buffer *to, int64_t index, float number)
{
    uint8_t *pair = buffer_room(to, PAIR_SIZE);
    uint32_t stored = htole32((uint32_t)index);
    memcpy(pair, &stored, sizeof(stored));
    value_put_float(pair + sizeof(stored), number);
    buffer_grow(to, PAIR_SIZE);
}

/* Milvus keeps the largest 32-bit number for itself. */
static bool is_index(int64_t index)
{
    return index >= 0 && index < UINT32_MAX;
}

static bool read_key(struct span key, int64_t *ret_index)
{
    const uint8_t *end = key.at + key.length;
    return number_end(key.at, end) == end && number_int64(key.at, ret_index) &&
           is_index(*ret_index);
}

/* {"17": 0.5} */
static bool add_members(const struct value_reader *reader, struct jvalue value, struct buffer *to,
                        const uint8_t **ret_end)
{
    struct jiter members = jvalue_iterate(value);
    struct jstring key;
    struct jvalue member;
    int64_t index;
    float number;
    const uint8_t *end;
    while (jiter_member(&members, &key, &member)) {
        struct value_reader at = value_member(reader, key.raw);
        if (!read_key(key.raw, &index))
            return value_fault(&at, "the key is no index from 0 to 4294967294");
        if (!value_float(&at, member, &number, &end))
            return false;
        jiter_passed(&members, end);
        add_pair(to, index, number);
    }
    *ret_end = jiter_end(&members);
    return true;
}

static bool add_lists(const struct value_reader *reader, struct jvalue indices,
                      struct jvalue values, struct buffer *to)
{
    struct value_reader at_indices = value_member(reader, span_text("indices"));
    struct value_reader at_values = value_member(reader, span_text("values"));
    if (jvalue_kind(indices) != J_ARRAY)
        return value_wrong(&at_indices, indices, "an array");
    if (jvalue_kind(values) != J_ARRAY)
        return value_wrong(&at_values, values, "an array");
    struct jiter left = jvalue_iterate(indices);
    struct jiter right = jvalue_iterate(values);
    struct jvalue index_value, value;
    int64_t index;
    float number;
    const uint8_t *end;
    size_t count = 0;
    for (; jiter_element(&left, &index_value); count++) {
        struct value_reader at_index = value_element(&at_indices, count);
        struct value_reader at_value = value_element(&at_values, count);
        if (!jiter_element(&right, &value))
            break;
        if (!value_int(&at_index, index_value, DATA_TYPE(Int64), &index, &end))
            return false;
        if (!is_index(index))
            return value_fault(&at_index, "no index from 0 to 4294967294");
        if (!value_float(&at_value, value, &number, &end))
            return false;
        add_pair(to, index, number);
    }
    if (jvalue_count(indices) != jvalue_count(values))
        return value_fault(reader, "indices and values differ in length");
    return true;
}

static int compare(const void *left, const void *right)
{
    uint32_t a = index_at(left);
    uint32_t b = index_at(right);
    return (a > b) - (a < b);
}

static bool is_sorted(const uint8_t *pairs, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(pairs + PAIR_SIZE * (i - 1), pairs + PAIR_SIZE * i) >= 0)
            return false;
    }
    return true;
}

static bool sort(const struct value_reader *reader, uint8_t *pairs, size_t count, uint64_t *dim)
{
    if (count == 0)
        return true;
    if (!is_sorted(pairs, count))
        qsort(pairs, count, PAIR_SIZE, compare);
    if (!is_sorted(pairs, count))
        return value_fault(reader, "an index stands twice");
    uint64_t end = (uint64_t)index_at(pairs + PAIR_SIZE * (count - 1)) + 1;
    *dim = end > *dim ? end : *dim;
    return true;
}

bool vector_add_sparse(const struct value_reader *reader, struct jvalue value, struct buffer *to,
                       uint64_t *dim, const uint8_t **ret_end)
{
    if (jvalue_kind(value) != J_OBJECT)
        return value_wrong(reader, value, "an object of indices and values");
    size_t before = to->size;
    struct jvalue indices, values;
    bool has_lists =
        jvalue_find(value, "indices", &indices) && jvalue_find(value, "values", &values);
    if (has_lists)
        *ret_end = jvalue_end(value);
    if (has_lists ? !add_lists(reader, indices, values, to)
                  : !add_members(reader, value, to, ret_end))
        return false;
    return sort(reader, buffer_room(to, 0) - (to->size - before), (to->size - before) / PAIR_SIZE,
                dim);
}
