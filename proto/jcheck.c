/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a text is JSON, in one pass over it. */
#include "proto/jvalue.h"
#include "proto/number.h"
#include "proto/utf8.h"

struct checker {
    const uint8_t *at;
    const uint8_t *end;
    unsigned depth;
    unsigned max;
    bool in_object[JVALUE_DEPTH]; /* what was opened, the outermost first */
    const char *fault;
    struct jindex *index; /* NULL: none is wanted */
};

static bool fail(struct checker *checker, const char *what)
{
    checker->fault = what;
    return false;
}

/* No character of JSON's grammar is 0. */
static uint8_t peek(const struct checker *checker)
{
    return checker->at < checker->end ? *checker->at : 0;
}

static uint8_t peek_behind_space(struct checker *checker)
{
    uint8_t byte;
    while ((byte = peek(checker)) == ' ' || byte == '\n' || byte == '\t' || byte == '\r')
        checker->at++;
    return byte;
}

/* ---- strings ---- */

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Four hexadecimal digits, or -1. */
static int32_t take_unit(struct checker *checker)
{
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(peek(checker));
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
        checker->at++;
    }
    return unit;
}

static bool is_surrogate(int32_t unit, int32_t first)
{
    return (unit & ~0x3ff) == first;
}

/* Behind "\u". */
static bool check_unicode(struct checker *checker)
{
    int32_t unit = take_unit(checker);
    if (unit < 0)
        return fail(checker, "\\u wants four hexadecimal digits");
    if (is_surrogate(unit, 0xdc00))
        return fail(checker, "half of a surrogate pair");
    if (!is_surrogate(unit, 0xd800))
        return true;
    if (checker->end - checker->at < 2 || checker->at[0] != '\\' || checker->at[1] != 'u')
        return fail(checker, "half of a surrogate pair");
    checker->at += 2;
    if (!is_surrogate(take_unit(checker), 0xdc00))
        return fail(checker, "half of a surrogate pair");
    return true;
}

static bool check_escape(struct checker *checker)
{
    checker->at++;
    uint8_t byte = peek(checker);
    if (byte == 0 || !strchr("\"\\/bfnrtu", byte))
        return fail(checker, "no escape of JSON: \\ is followed by one of \"\\/bfnrtu");
    checker->at++;
    return byte != 'u' || check_unicode(checker);
}

/* Between quotes most bytes are themselves. */
static const uint8_t *plain_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at >= ' ' && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static bool check_character(struct checker *checker)
{
    uint8_t byte = peek(checker);
    if (byte == '\\')
        return check_escape(checker);
    if (checker->at == checker->end)
        return fail(checker, "the text ends within a string");
    if (byte < ' ')
        return fail(checker, "a control character in a string, which has to be escaped");
    size_t length = utf8_length(checker->at, (size_t)(checker->end - checker->at));
    checker->at += length;
    return length > 0 || fail(checker, "not UTF-8");
}

/* At its opening quote. */
static bool check_string(struct checker *checker)
{
    checker->at++;
    for (;;) {
        checker->at = plain_end(checker->at, checker->end);
        if (peek(checker) == '"') {
            checker->at++;
            return true;
        }
        if (!check_character(checker))
            return false;
    }
}

/* ---- other scalars ---- */

static bool check_word(struct checker *checker, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(checker->end - checker->at) < length || memcmp(checker->at, word, length) != 0)
        return fail(checker, "no value of JSON: neither true, false nor null");
    checker->at += length;
    return true;
}

static bool check_number(struct checker *checker)
{
    const uint8_t *end = number_end(checker->at, checker->end);
    if (!end)
        return fail(checker, "no number of JSON");
    checker->at = end;
    uint8_t byte = peek(checker);
    bool more = (byte >= '0' && byte <= '9') || byte == '.' || byte == 'e' || byte == 'E' ||
                byte == '+' || byte == '-';
    return !more || fail(checker, "no number of JSON");
}

static bool check_scalar(struct checker *checker)
{
    switch (peek(checker)) {
    case '"':
        return check_string(checker);
    case 't':
        return check_word(checker, "true");
    case 'f':
        return check_word(checker, "false");
    case 'n':
        return check_word(checker, "null");
    case 0:
        return fail(checker, "a value is missing");
    default:
        return check_number(checker);
    }
}

/* ---- arrays and objects ---- */

/* Its value begins here. */
static void note_member(struct checker *checker, const uint8_t *key)
{
    struct jindex *index = checker->index;
    if (index->count < JINDEX_MAX) {
        index->members[index->count].key = jvalue_string((struct jvalue){key});
        index->members[index->count].value.at = checker->at;
    }
    index->count++;
}

/* A member's name and the colon, up to its value. */
static bool check_key(struct checker *checker)
{
    if (peek_behind_space(checker) != '"')
        return fail(checker, "a member's name is missing, in quotes");
    const uint8_t *key = checker->at;
    if (!check_string(checker))
        return false;
    if (peek_behind_space(checker) != ':')
        return fail(checker, "a colon is missing behind a member's name");
    checker->at++;
    peek_behind_space(checker);
    if (checker->depth == 1 && checker->index)
        note_member(checker, key);
    return true;
}

static bool in_object(const struct checker *checker)
{
    return checker->in_object[checker->depth - 1];
}

/* The innermost is whole if it is closed here. */
static bool take_close(struct checker *checker)
{
    if (peek_behind_space(checker) != (in_object(checker) ? '}' : ']'))
        return false;
    checker->at++;
    checker->depth--;
    return true;
}

/* Leaves the checker where a value is due, or behind an empty one. */
static bool check_open(struct checker *checker, bool *ret_whole)
{
    if (checker->depth == checker->max)
        return fail(checker, "too many arrays and objects within each other");
    checker->in_object[checker->depth++] = peek(checker) == '{';
    checker->at++;
    *ret_whole = take_close(checker);
    return *ret_whole || !in_object(checker) || check_key(checker);
}

/* Behind a value: to the next one, or behind the outermost. */
static bool check_next(struct checker *checker)
{
    while (checker->depth > 0 && take_close(checker))
        continue;
    if (checker->depth == 0)
        return true;
    if (peek(checker) != ',')
        return fail(checker,
                    in_object(checker) ? "a comma or } is missing" : "a comma or ] is missing");
    checker->at++;
    return !in_object(checker) || check_key(checker);
}

static bool check_value(struct checker *checker)
{
    bool whole = true;
    uint8_t byte = peek_behind_space(checker);
    bool good = byte == '{' || byte == '[' ? check_open(checker, &whole) : check_scalar(checker);
    return good && (!whole || check_next(checker));
}

static bool check_top(struct checker *checker, struct jvalue *ret_top)
{
    uint8_t byte = peek_behind_space(checker);
    ret_top->at = checker->at;
    if (byte != '{' && byte != '[')
        return fail(checker, checker->at < checker->end ? "neither an object nor an array"
                                                        : "the text is empty");
    do {
        if (!check_value(checker))
            return false;
    } while (checker->depth > 0);
    peek_behind_space(checker);
    return checker->at == checker->end || fail(checker, "something stands behind the value");
}

bool jvalue_check(struct span text, unsigned depth, struct jvalue *ret_top,
                  struct jfault *ret_fault)
{
    return jvalue_check_members(text, depth, ret_top, NULL, ret_fault);
}

bool jvalue_check_members(struct span text, unsigned depth, struct jvalue *ret_top,
                          struct jindex *ret_index, struct jfault *ret_fault)
{
    struct jvalue top;
    struct checker checker = {.at = text.at,
                              .end = text.at + text.length,
                              .max = depth < JVALUE_DEPTH ? depth : JVALUE_DEPTH,
                              .index = ret_index};
    if (ret_index)
        ret_index->count = 0;
    if (check_top(&checker, &top)) {
        *ret_top = top;
        return true;
    }
    ret_fault->offset = (size_t)(checker.at - text.at);
    ret_fault->what = checker.fault;
    return false;
}
