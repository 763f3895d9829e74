/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/jvalue.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* What is read stands at the very end of memory that is ours, so AddressSanitizer sees a step too
 * far. */
static struct span exact(struct span text)
{
    uint8_t *copy = malloc(text.length + 1);
    memcpy(copy + 1, text.at, text.length);
    return span_of(copy + 1, text.length);
}

static void drop(struct span text)
{
    free((uint8_t *)(uintptr_t)text.at - 1);
}

static bool check(struct span text, struct jfault *fault)
{
    struct jvalue top;
    struct span copy = exact(text);
    bool good = jvalue_check(copy, JVALUE_DEPTH, &top, fault);
    if (good)
        cr_expect(jvalue_end(top) <= copy.at + copy.length);
    drop(copy);
    return good;
}

Test(jvalue, takes_what_is_json)
{
    static const char *const good[] = {
        "{}",
        "[]",
        " { } ",
        "\t[\r\n1 ,2]\n",
        "{\"a\":1,\"b\":[true,false,null,-0.5e+3,\"\"],\"a\":{\"c\":{}}}",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\ude00\"]",
        "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\"]",
        "[[],[[]],{}]",
    };
    struct jfault fault;
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        cr_expect(check(span_text(good[i]), &fault), "%s: %s", good[i], fault.what);
}

static void refuses(const char *text, size_t offset, const char *what)
{
    struct jfault fault = {0, ""};
    cr_assert_not(check(span_text(text), &fault), "%s", text);
    cr_expect_eq(fault.offset, offset, "%s: at %zu", text, fault.offset);
    cr_expect(strstr(fault.what, what), "%s: %s", text, fault.what);
}

Test(jvalue, says_what_is_wrong_and_where)
{
    refuses("", 0, "empty");
    refuses("  ", 2, "empty");
    refuses("1", 0, "neither an object nor an array");
    refuses("{} x", 3, "behind the value");
    refuses("[1,]", 3, "no number");
    refuses("[,1]", 1, "no number");
    refuses("[1 2]", 3, "comma or ]");
    refuses("[1}", 2, "comma or ]");
    refuses("{\"a\":1]", 6, "comma or }");
    refuses("{\"a\":1,}", 7, "name is missing");
    refuses("{a:1}", 1, "name is missing");
    refuses("{\"a\" 1}", 5, "colon");
    refuses("{\"a\":}", 5, "no number");
    refuses("{\"a\":", 5, "value is missing");
    refuses("[", 1, "value is missing");
    refuses("[tru]", 1, "neither true");
    refuses("[nul", 1, "neither true");
    refuses("[01]", 2, "no number");
    refuses("[1.]", 1, "no number");
    refuses("[-]", 1, "no number");
    refuses("[NaN]", 1, "no number");
    refuses("[\"a", 3, "ends within a string");
    refuses("[\"a\n\"]", 3, "control character");
    refuses("[\"\\x\"]", 3, "no escape");
    refuses("[\"\\u12g4\"]", 6, "four hexadecimal");
    refuses("[\"\\ud800\"]", 8, "surrogate");
    refuses("[\"\\udc00\"]", 8, "surrogate");
    refuses("[\"\\ud800\\u0041\"]", 14, "surrogate");
    refuses("[\"\xff\"]", 2, "UTF-8");
    refuses("[\"\xc0\x80\"]", 2, "UTF-8");
    refuses("[\"\xed\xa0\x80\"]", 2, "UTF-8");
    refuses("[\"\xf4\x90\x80\x80\"]", 2, "UTF-8");
    refuses("[\"\xe2\x82\"]", 2, "UTF-8");
    refuses("[\"\xe2", 2, "UTF-8");
}

Test(jvalue, a_zero_byte_is_no_json)
{
    struct jfault fault;
    cr_expect_not(check(span_of("[\0]", 3), &fault));
    cr_expect_not(check(span_of("[\"\0\"]", 5), &fault));
    cr_expect_not(check(span_of("[]\0", 3), &fault));
}

Test(jvalue, depth_has_a_limit)
{
    char text[2 * JVALUE_DEPTH + 3] = {0};
    struct jfault fault;
    struct jvalue top;
    memset(text, '[', JVALUE_DEPTH);
    memset(text + JVALUE_DEPTH, ']', JVALUE_DEPTH);
    cr_expect(jvalue_check(span_text(text), JVALUE_DEPTH, &top, &fault));
    cr_expect_not(jvalue_check(span_text(text), JVALUE_DEPTH - 1, &top, &fault));
    cr_expect(strstr(fault.what, "within each other"));
    memset(text, '[', JVALUE_DEPTH + 1);
    memset(text + JVALUE_DEPTH + 1, ']', JVALUE_DEPTH + 1);
    cr_expect_not(jvalue_check(span_text(text), 2 * JVALUE_DEPTH, &top, &fault));
}

/* Of every text that is cut off somewhere nothing behind its end is read. */
Test(jvalue, what_is_cut_off_is_refused)
{
    const char *text = "{\"a\\u00e9\":[1.5e3,true,null,{\"b\":\"\xc3\xa9\"}]}";
    struct jfault fault;
    for (size_t length = 0; length < strlen(text); length++)
        cr_expect_not(check(span_of(text, length), &fault), "%zu", length);
}

static struct jvalue good(const char *text)
{
    struct jfault fault;
    struct jvalue top;
    cr_assert(jvalue_check(span_text(text), JVALUE_DEPTH, &top, &fault), "%s", text);
    return top;
}

Test(jvalue, members_come_in_order)
{
    struct jiter iter = jvalue_iterate(good("{ \"a\" : 1 , \"\\u0062\":[2,\"]\"], \"\":{} }"));
    struct jstring key;
    struct jvalue value;
    cr_assert(jiter_member(&iter, &key, &value));
    cr_expect(jstring_is(key, "a"));
    cr_expect(span_is(jvalue_text(value), "1"));
    cr_assert(jiter_member(&iter, &key, &value));
    cr_expect(jstring_is(key, "b"));
    cr_expect_not(jstring_is(key, "\\u0062"));
    cr_expect(span_is(jvalue_text(value), "[2,\"]\"]"));
    cr_assert(jiter_member(&iter, &key, &value));
    cr_expect(jstring_is(key, ""));
    cr_expect(span_is(jvalue_text(value), "{}"));
    cr_expect_not(jiter_member(&iter, &key, &value));
    cr_expect_eq(*jiter_end(&iter), 0);
}

Test(jvalue, elements_that_were_read_are_not_skipped_again)
{
    struct jiter rows = jvalue_iterate(good("[[1,2],[],[3]]"));
    struct jvalue row;
    struct jvalue value;
    size_t count = 0;
    while (jiter_element(&rows, &row)) {
        struct jiter values = jvalue_iterate(row);
        while (jiter_element(&values, &value)) {
            jiter_passed(&values, value.at + 1);
            count++;
        }
        jiter_passed(&rows, jiter_end(&values));
    }
    cr_expect_eq(count, 3);
    cr_expect_eq(*jiter_end(&rows), 0);
}

Test(jvalue, kinds_have_names)
{
    static const char *const names[] = {"null",     "a boolean", "a boolean", "a number",
                                        "a string", "an array",  "an object"};
    struct jiter iter = jvalue_iterate(good("[null,false,true,-1,\"\",[],{}]"));
    struct jvalue value;
    for (int kind = J_NULL; jiter_element(&iter, &value); kind++) {
        cr_expect_eq(jvalue_kind(value), (enum jkind)kind);
        cr_expect_str_eq(jvalue_kind_name(value), names[kind]);
    }
    cr_expect_eq(jvalue_count(good("[1,[2,3],{}]")), 3);
    cr_expect_eq(jvalue_count(good("{\"a\":[1,2]}")), 1);
    cr_expect_eq(jvalue_count(good("{}")), 0);
}

Test(jvalue, of_members_of_one_name_the_last_counts)
{
    struct jvalue value;
    struct jvalue top = good("{\"a\":1,\"b\":{\"a\":3},\"a\":2}");
    cr_assert(jvalue_find(top, "a", &value));
    cr_expect(span_is(jvalue_text(value), "2"));
    cr_expect_not(jvalue_find(top, "c", &value));
}

Test(jvalue, members_are_found_while_the_text_is_checked)
{
    struct jindex index;
    struct jvalue top;
    struct jfault fault;
    static const char text[] = "{ \"a\" : [{\"x\":1}] ,\"\\u0062\":\n2,\"\":{\"a\":3}}";
    cr_assert(jvalue_check_members(span_text(text), JVALUE_DEPTH, &top, &index, &fault));
    cr_assert_eq(index.count, 3);
    cr_expect(jstring_is(index.members[0].key, "a"));
    cr_expect(span_is(jvalue_text(index.members[0].value), "[{\"x\":1}]"));
    cr_expect(jstring_is(index.members[1].key, "b"));
    cr_expect(span_is(jvalue_text(index.members[1].value), "2"));
    cr_expect(jstring_is(index.members[2].key, ""));
    cr_expect(span_is(jvalue_text(index.members[2].value), "{\"a\":3}"));
    cr_assert(jvalue_check_members(span_text("[{\"a\":1}]"), JVALUE_DEPTH, &top, &index, &fault));
    cr_expect_eq(index.count, 0);
}

Test(jvalue, an_index_has_a_limit)
{
    char text[JINDEX_MAX * 8 + 32] = "{";
    struct jindex index;
    struct jvalue top;
    struct jfault fault;
    for (size_t i = 0; i <= JINDEX_MAX; i++)
        sprintf(text + strlen(text), "%s\"%zu\":%zu", i > 0 ? "," : "", i, i);
    strcat(text, "}");
    cr_assert(jvalue_check_members(span_text(text), JVALUE_DEPTH, &top, &index, &fault));
    cr_expect_eq(index.count, JINDEX_MAX + 1);
    cr_expect(jstring_is(index.members[JINDEX_MAX - 1].key, "31"));
}

static void string_is(const char *json, struct span wanted)
{
    struct jvalue value;
    struct buffer scratch = {0};
    struct jiter iter = jvalue_iterate(good(json));
    cr_assert(jiter_element(&iter, &value));
    struct span text = jstring_text(jvalue_string(value), &scratch);
    cr_expect(span_equal(text, wanted), "%s", json);
    buffer_clear(&scratch);
}

Test(jvalue, strings_have_their_escapes_resolved)
{
    string_is("[\"plain\"]", span_text("plain"));
    string_is("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", span_text("\"\\/\b\f\n\r\t"));
    string_is("[\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\\uffff\"]",
              span_text("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf"));
    string_is("[\"a\\u0000b\"]", span_of("a\0b", 3));
    string_is("[\"\\udbff\\udfff\"]", span_text("\xf4\x8f\xbf\xbf"));
}
