/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/search_read.h"

#include <stdlib.h>

#define ROOM     64         /* for pieces, at first */
#define ROOM_MAX (1u << 16) /* for 8,000 fields; Milvus takes 64 in a collection */

const char search_malformed[] = "no protobuf";
const char search_twice[] = "a field that stands twice";
const char search_wrong_count[] = "counts that do not add up";
const char search_wrong_value[] = "a value that is not understood";
const char search_no_memory[] = "no memory";

bool search_refuse(struct search_reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

bool search_add_piece(struct search_reader *reader, struct search_piece piece)
{
    struct search_reply *reply = reader->reply;
    if (reply->count == reply->room) {
        if (reply->room >= ROOM_MAX)
            return search_refuse(reader, "too many fields");
        size_t room = reply->room > 0 ? 2 * reply->room : ROOM;
        struct search_piece *pieces = realloc(reply->pieces, room * sizeof(*pieces));
        if (!pieces)
            return search_refuse(reader, search_no_memory);
        reply->pieces = pieces;
        reply->room = room;
    }
    reply->pieces[reply->count++] = piece;
    return true;
}

static const struct search_rule *find_rule(const struct search_rules *rules, uint32_t number)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->rules[i].number == number)
            return &rules->rules[i];
    }
    return NULL;
}

static bool read_field(struct search_reader *reader, const struct search_rules *rules,
                       const struct wire_field *field, struct span whole, uint32_t *seen)
{
    const struct search_rule *rule = find_rule(rules, field->number);
    if (!rule)
        return search_refuse(reader, "a field that is not known");
    if (field->type != rule->type)
        return search_refuse(reader, "a field of another type");
    if (*seen & 1u << rule->number && !rule->is_repeated)
        return search_refuse(reader, search_twice);
    *seen |= 1u << rule->number;
    return rule->read(reader, rule, field, whole);
}

bool search_read_message(struct search_reader *reader, const struct search_rules *rules,
                         struct span message)
{
    uint32_t seen = 0;
    struct span rest = message;
    struct wire_field field;
    enum wire_read read;
    const uint8_t *start = rest.at;
    while ((read = wire_next(&rest, &field)) == WIRE_FIELD) {
        if (!read_field(reader, rules, &field, span_of(start, (size_t)(rest.at - start)), &seen))
            return false;
        start = rest.at;
    }
    reader->seen = seen;
    return read == WIRE_END || search_refuse(reader, search_malformed);
}

bool search_read_same(struct search_reader *reader, const struct search_rule *rule,
                      const struct wire_field *field, struct span whole)
{
    (void)rule;
    (void)field;
    struct search_reply *reply = reader->reply;
    struct search_piece *last = reply->count > 0 ? &reply->pieces[reply->count - 1] : NULL;
    if (!last || last->kind != PIECE_COPY)
        return search_add_piece(reader, (struct search_piece){.kind = PIECE_COPY, .bytes = whole});
    last->bytes.length += whole.length; /* each field has a piece, so the last one ends here */
    return true;
}

bool search_read_zero(struct search_reader *reader, const struct search_rule *rule,
                      const struct wire_field *field, struct span whole)
{
    if (field->value != 0)
        return search_refuse(reader, search_wrong_value);
    return search_read_same(reader, rule, field, whole);
}

bool search_read_nest(struct search_reader *reader, const struct search_rule *rule,
                      const struct wire_field *field, struct span whole)
{
    (void)whole;
    struct search_piece begin = {.kind = PIECE_BEGIN, .number = rule->number};
    struct search_piece end = {.kind = PIECE_END, .begin = reader->reply->count};
    if (!search_add_piece(reader, begin) || !search_read_message(reader, rule->inner, field->bytes))
        return false;
    end.nest = rule->nest;
    return search_add_piece(reader, end);
}
