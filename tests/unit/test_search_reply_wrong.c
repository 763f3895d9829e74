/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that are not cut. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/search_reply.h"
#include "wire_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Why the reply is not understood; NULL: it is. */
static const char *refusal(struct span message, uint32_t vectors)
{
    const char *why = NULL;
    struct search_reply *reply = search_reply_read(message, vectors, &why);
    search_reply_free(reply);
    return reply ? NULL : why;
}

#define OF_ONE(MORE)    "2{1:1 2:1 4(1) 5{1{1[1]}} 6[1] " MORE "}"
#define ONE_FIELD(DATA) OF_ONE("3{" DATA "}")

Test(search_reply_wrong, what_is_not_understood)
{
    static const struct {
        const char *reply;
        const char *why;
    } cases[] = {
        {"1{1:1} " OF_ONE(""), "a value that is not understood"},
        {"1{3:100} " OF_ONE(""), "a value that is not understood"},
        {"1{5'so'} " OF_ONE(""), "a field that is not known"},
        {"1{6{1'report_value' 2'3'}} " OF_ONE(""), "a field that is not known"},
        {"1{}", "counts that do not add up"},
        {OF_ONE("") " 5:1", "a field that is not known"},
        {OF_ONE("") OF_ONE(""), "a field that stands twice"},
        {OF_ONE("8{}"), "a field that is not known"},
        {OF_ONE("11{1'token'}"), "a field that is not known"},
        {OF_ONE("14{}"), "a field that is not known"},
        {OF_ONE("15{1[1]}"), "a field that is not known"},
        {OF_ONE("16:1"), "a field that is not known"},
        {OF_ONE("17{}"), "a field that is not known"},
        {OF_ONE("18{}"), "a field that is not known"},
        {OF_ONE("19[1]"), "a field that is not known"},
        {OF_ONE("33:1"), "a field that is not known"},
        {OF_ONE("9'x'"), "a field of another type"},
        {OF_ONE("4(1)"), "a field that stands twice"},
        {OF_ONE("2:1"), "a field that stands twice"},
        {OF_ONE("13'a' 13'a'"), "a field that stands twice"},
        {OF_ONE("10(1 2)"), "counts that do not add up"},
        {OF_ONE("10'abc'"), "counts that do not add up"},
        {OF_ONE("12(1 2)"), "counts that do not add up"},
        {"2{1:2 2:1 4(1) 5{1{1[1]}} 6[1]}", "counts that do not add up"},
        {"2{2:1 4(1) 5{1{1[1]}} 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]}}}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]}} 6[1 0]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]}} 6[2]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]}} 6[-1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]}} 6[4294967297]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]}} 6:1}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1 2]}} 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{}} 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{} 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 5{1{1[1]}} 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1 2) 5{1{1[1]}} 6[1]}", "counts that do not add up"},
        {"2{1:1 2:1 4(1) 5{1{1[1]} 2{1'k'}} 6[1]}", "values that do not stand together"},
        {"2{1:1 2:1 4(1) 5{3{1'k'}} 6[1]}", "a field that is not known"},
        {"2{1:1 2:1 4(1) 5{1{1:1}} 6[1]}", "a field of another type"},
        {ONE_FIELD("2'f'"), "counts that do not add up"},
        {ONE_FIELD("3{}"), "counts that do not add up"},
        {ONE_FIELD("8{}"), "counts that do not add up"},
        {ONE_FIELD("9{}"), "a field that is not known"},
        {ONE_FIELD("3{17{1[1]}}"), "a field that is not known"},
        {ONE_FIELD("3{3{1[1] 2:1}}"), "a field that is not known"},
        {ONE_FIELD("3{3{1[1]} 6{1'a'}}"), "values that do not stand together"},
        {ONE_FIELD("3{6{1'a'} 3{1[1]}}"), "a field that stands twice"},
        {ONE_FIELD("3{3{1[1]}} 4{1:1 2{1(1)}}"), "a field that stands twice"},
        {ONE_FIELD("3{} 4{1:1 2{1(1)}}"), "a field that stands twice"},
        {ONE_FIELD("3{8{1{}  2:1 1{}}}"), "values that do not stand together"},
        {ONE_FIELD("3{4{1'abc'}}"), "counts that do not add up"},
        {ONE_FIELD("3{3{1x80'}}"), "no protobuf"},
        {ONE_FIELD("3{3{1[1]}} 7[1 1]"), "counts that do not add up"},
        {ONE_FIELD("3{3{1[1]}} 7[2]"), "a value that is not understood"},
        {ONE_FIELD("3{3{1[1 2]}} 7[1]"), "counts that do not add up"},
        {ONE_FIELD("7[1]"), "counts that do not add up"},
        {ONE_FIELD("4{2{1(1)}}"), "counts that do not add up"},
        {ONE_FIELD("4{1:0 2{1(1)}}"), "counts that do not add up"},
        {ONE_FIELD("4{1:2 2{1(1)}}"), "counts that do not add up"},
        {ONE_FIELD("4{1:-1 2{1(1)}}"), "a value that is not understood"},
        {ONE_FIELD("4{1:4 3'a'}"), "counts that do not add up"},
        {ONE_FIELD("4{1:12 3'a'}"), "counts that do not add up"},
        {ONE_FIELD("4{6{1'1234567' 2:1}}"), "a value that is not understood"},
        {ONE_FIELD("4{6{2:1}}"), "counts that do not add up"},
        {ONE_FIELD("8{1{8{1{3{3{1[1]}}}}}}"), "a field that is not known"},
        {ONE_FIELD("8{1{3{3{1[1 2]}}}}"), "counts that do not add up"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct blob *message = wire_text(cases[i].reply);
        const char *why = refusal(blob_span(message), 1);
        cr_expect_str_eq(why ? why : "understood", cases[i].why, "%s", cases[i].reply);
        blob_unref(message);
    }
}

Test(search_reply_wrong, other_numbers_of_vectors)
{
    struct blob *message = wire_text(OF_ONE(""));
    cr_expect_null(refusal(blob_span(message), 1));
    cr_expect_str_eq(refusal(blob_span(message), 0), "counts that do not add up");
    cr_expect_str_eq(refusal(blob_span(message), 2), "counts that do not add up");
    cr_expect_str_eq(refusal(blob_span(message), UINT32_MAX), "counts that do not add up");
    blob_unref(message);
    message = wire_text("2{1:0 6[]}");
    cr_expect_str_eq(refusal(blob_span(message), 0), "counts that do not add up");
    blob_unref(message);
    message = wire_text("2{1:2 2:1 4(1) 5{1{1[1]}} 6[-1 2]}"); /* one, modulo 2^64 */
    cr_expect_str_eq(refusal(blob_span(message), 2), "counts that do not add up");
    blob_unref(message);
}

/* Wherever it ends, nothing behind the end is read. */
Test(search_reply_wrong, cut_off)
{
    struct blob *message = wire_text(ONE_FIELD("2'f' 3{6{1'text'}} 5:101 7[1]") " 3'docs'");
    size_t understood = 0;
    for (size_t length = 0; length <= message->size; length++) {
        struct blob *start = blob_copy(span_cut(blob_span(message), length));
        if (!refusal(blob_span(start), 1))
            understood++;
        blob_unref(start);
    }
    cr_expect_eq(understood, 2, "without, and with the collection's name");
    blob_unref(message);
}

/* A reply that would take more memory than it is worth. */
Test(search_reply_wrong, too_many_fields)
{
    enum { FIELDS = 20000 };
    static char text[FIELDS * sizeof("3{3{}}") + 100];
    char *at = text + sprintf(text, "2{1:1 6[0]");
    for (int i = 0; i < FIELDS; i++)
        at += sprintf(at, " 3{3{}}");
    sprintf(at, "}");
    struct blob *message = wire_text(text);
    const char *why = refusal(blob_span(message), 1);
    cr_expect_str_eq(why ? why : "understood", "too many fields");
    blob_unref(message);
}
