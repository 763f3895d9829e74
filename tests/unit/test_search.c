/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "proto/search.h"
#include "wire_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Requests: three parameters, and what else is said of them. One float vector of two numbers. */
#define PARAMS          "9{1'topk' 2'10'} 9{1'params' 2'{}'} 9{1'anns_field' 2'v'}"
#define FLOAT           "3x0000803f00000040'"
#define ANOTHER         "3x0000404000008040'"
#define VECTORS(VALUES) "6{1{1'$0' 2:101 " VALUES "}}"
#define ONE             VECTORS(FLOAT) " 12:1 "
#define REQUEST(REST)   "3'docs'" PARAMS REST

static bool read_of(const char *text, const char *tail, const char *extra, struct search *search,
                    struct blob **ret_message)
{
    *ret_message = wire_text(text);
    return search_read(blob_span(*ret_message), span_text(tail), span_text(extra), search);
}

/* Shape, then what stands in the request. */
static void let_go(struct search *search, struct blob *message)
{
    blob_unref(search->shape);
    blob_unref(message);
}

static void expect_alone(const char *text)
{
    struct search search = {0};
    struct blob *message;
    bool read = read_of(text, "", "", &search, &message);
    cr_expect_not(read, "%s", text);
    let_go(&search, message);
}

static void expect_taken(const char *text, uint32_t count, uint32_t limit)
{
    struct search search = {0};
    struct blob *message;
    cr_assert(read_of(text, "", "", &search, &message), "%s", text);
    cr_expect_eq(search.count, count, "%s: %u vectors", text, search.count);
    cr_expect_eq(search.limit, limit, "%s: %u results", text, search.limit);
    let_go(&search, message);
}

static void expect_agreement(const char *a, const char *b, bool agree)
{
    struct search searches[2] = {{0}};
    struct blob *messages[2];
    cr_assert(read_of(a, "", "", &searches[0], &messages[0]), "%s", a);
    cr_assert(read_of(b, "", "", &searches[1], &messages[1]), "%s", b);
    cr_expect_eq(span_equal(blob_span(searches[0].shape), blob_span(searches[1].shape)), agree,
                 "%s\n%s", a, b);
    let_go(&searches[0], messages[0]);
    let_go(&searches[1], messages[1]);
}

Test(search, what_sdks_send_is_taken)
{
    expect_taken(REQUEST(ONE), 1, 10);
    expect_taken(REQUEST(VECTORS(FLOAT ANOTHER) "12:2"), 2, 10);
    expect_taken(REQUEST("9{1'offset' 2'5'}" ONE), 1, 15);
    expect_taken("1{1:405} 2'db' 3'docs' 4'p' 5'id > 3'" VECTORS(
                     FLOAT) "7:1 8'a' 8'b'" PARAMS
                            " 10:0 11:2 12:1 13:1 14:1 15:0 16:0 18{1'x' 2{2:1}}",
                 1, 10);
}

Test(search, every_kind_of_vector_is_taken)
{
    expect_taken(REQUEST("6{1{1'$0' 2:100 3x0f'}} 12:1"), 1, 10);
    expect_taken(REQUEST("6{1{1'$0' 2:102 3x003c003c'}} 12:1"), 1, 10);
    expect_taken(REQUEST("6{1{1'$0' 2:103 3x803f803f'}} 12:1"), 1, 10);
    expect_taken(REQUEST("6{1{1'$0' 2:104 3x010000000000803f' 3x01000000000080400700000000008040'}}"
                         "12:2"),
                 2, 10);
    expect_taken(REQUEST("6{1{1'$0' 2:105 3x7f80'}} 12:1"), 1, 10);
    /* The type may stand behind the values, a tag need not. */
    expect_taken(REQUEST("6{1{" FLOAT "2:101}} 12:1"), 1, 10);
}

Test(search, what_is_not_known_goes_alone)
{
    static const char *const others[] = {
        REQUEST(ONE "16:1"),           /* by primary keys */
        REQUEST("22{1{1[1 2]}} 12:2"), /* ids */
        REQUEST(ONE "17{}"),           /* sub_reqs */
        REQUEST(ONE "19{}"),           /* function_score */
        REQUEST(ONE "20'n'"),          /* namespace */
        REQUEST(ONE "21{}"),           /* highlighter */
        REQUEST(ONE "23{}"),           /* search_aggregation */
        REQUEST(ONE "24{}"),           /* function_chains */
        REQUEST(ONE "25:1"),           /* of a later Milvus */
        REQUEST(ONE "2:1"),            /* a name that is none */
        REQUEST(ONE "9{1'group_by_field' 2'x'}"),
        REQUEST(ONE "9{1'iterator' 2'True'}"),
        REQUEST(ONE "9{1'search_iter_v2' 2'True'}"),
        REQUEST(ONE "9{1'of a later one' 2'x'}"),
        REQUEST(ONE "9{1'ef' 2'9' 3:1}"),
    };
    for (size_t i = 0; i < COUNT(others); i++)
        expect_alone(others[i]);
}

Test(search, limits_are_numbers)
{
    static const char *const wrong[] = {"0", "", "-1", "ten", "1e3", "1234567890"};
    char text[256];
    for (size_t i = 0; i < COUNT(wrong); i++) {
        sprintf(text, "3'docs' 9{1'topk' 2'%s'}" ONE, wrong[i]);
        expect_alone(text);
    }
    expect_alone("3'docs'" ONE);
    expect_taken("3'docs' 9{1'topk' 2'999999999'}" ONE, 1, 999999999);
}

Test(search, vectors_that_milvus_would_refuse_go_alone)
{
    static const char *const wrong[] = {
        REQUEST("12:1"),
        REQUEST(VECTORS("") "12:0"),
        REQUEST(VECTORS(FLOAT)),
        REQUEST(VECTORS(FLOAT) "12:2"),
        REQUEST(VECTORS(FLOAT) VECTORS(FLOAT) "12:1"),
        REQUEST(VECTORS(FLOAT "3x0000803f'") "12:2"), /* of different sizes */
        REQUEST(VECTORS("3''") "12:1"),
        REQUEST(VECTORS("3x0000803f00'") "12:1"),       /* no floats */
        REQUEST(VECTORS("3x0000807f00000040'") "12:1"), /* infinity */
        REQUEST(VECTORS("3x000000400000c07f'") "12:1"), /* no number */
        REQUEST("6{1{1'$0' 2:102 3x007c'}} 12:1"),
        REQUEST("6{1{1'$0' 2:102 3x00'}} 12:1"),
        REQUEST("6{1{1'$0' 2:103 3x807f'}} 12:1"),
        REQUEST("6{1{1'$0' 2:104 3x010000000000807f'}} 12:1"),
        REQUEST("6{1{1'$0' 2:104 3x01000000'}} 12:1"),
        REQUEST("6{1{1'$0' 2:21 3'text'}} 12:1"),
        REQUEST("6{1{1'$0' 2:99 3'x'}} 12:1"),
        REQUEST("6{1{1'$0' 2:301 3'x'}} 12:1"),
        REQUEST("6{1{1'$0'" FLOAT "}} 12:1"),
        REQUEST("6{1{1'$0' 2:101 " FLOAT "4:1}} 12:1"),
        REQUEST("6{1{1'$0' 2:101 " FLOAT "5:1}} 12:1"),
        REQUEST("6{1{1'$0' 2:101 " FLOAT "1'$0'" FLOAT "}} 12:2"), /* not side by side */
        REQUEST("6{1{1'$0' 2:101 " FLOAT "} 1{1'$1' 2:101 " FLOAT "}} 12:2"),
        REQUEST("6{2:1} 12:1"),
        REQUEST("6'x' 12:1"),
    };
    for (size_t i = 0; i < COUNT(wrong); i++)
        expect_alone(wrong[i]);
}

Test(search, tag_has_a_limit)
{
    char text[512];
    char tag[67] = "";
    memset(tag, 't', 65);
    sprintf(text, REQUEST("6{1{1'%s' 2:101 " FLOAT "}} 12:1"), tag);
    expect_alone(text);
    sprintf(text, REQUEST("6{1{1'%s' 2:101 " FLOAT "}} 12:1"), tag + 1);
    expect_taken(text, 1, 10);
}

Test(search, those_that_differ_in_vectors_agree)
{
    expect_agreement(REQUEST(ONE), REQUEST(VECTORS(ANOTHER) "12:1"), true);
    expect_agreement(REQUEST(ONE), REQUEST(VECTORS(FLOAT ANOTHER) "12:2"), true);
    expect_agreement(REQUEST("6{1{1'$0' 2:104 3x010000000000803f'}} 12:1"),
                     REQUEST("6{1{1'$0' 2:104 3x01000000000080400700000000008040'}} 12:1"), true);
}

Test(search, those_that_differ_otherwise_do_not)
{
    static const char *const others[] = {
        REQUEST("2'db'" ONE),
        "3'dogs'" PARAMS ONE,
        REQUEST(ONE "4'p'"),
        REQUEST(ONE "5'id > 3'"),
        REQUEST(ONE "7:1"),
        REQUEST(ONE "8'a'"),
        REQUEST(ONE "9{1'ef' 2'64'}"),
        REQUEST(ONE "11:2"),
        REQUEST(ONE "14:1"),
        REQUEST(ONE "18{1'x' 2{2:1}}"),
        REQUEST("6{1{1'$1' 2:101 " FLOAT "}} 12:1"),
        REQUEST("6{1{1'$0' 2:105 " FLOAT "}} 12:1"),
        REQUEST("6{1{1'$0' 2:101 3x0000803f'}} 12:1"),
    };
    for (size_t i = 0; i < COUNT(others); i++)
        expect_agreement(REQUEST(ONE), others[i], false);
}

Test(search, tail_and_what_has_to_agree_are_part_of_the_shape)
{
    struct search searches[3];
    struct blob *messages[3];
    cr_assert(read_of(REQUEST(ONE), "", "", &searches[0], &messages[0]));
    cr_assert(read_of(REQUEST(ONE), "\x12\x01x", "", &searches[1], &messages[1]));
    cr_assert(read_of(REQUEST(ONE), "", "key", &searches[2], &messages[2]));
    for (size_t i = 0; i < 3; i++) {
        cr_expect_not(
            span_equal(blob_span(searches[i].shape), blob_span(searches[(i + 1) % 3].shape)));
    }
    for (size_t i = 0; i < 3; i++)
        let_go(&searches[i], messages[i]);
}

Test(search, joined_they_are_one_request)
{
    struct search searches[2];
    struct blob *messages[2];
    struct blob *expected = wire_text("2'db' 3'docs'" PARAMS "8'a' 2'x' 12:3 "
                                      "6{1{1'$0' 2:101 " FLOAT ANOTHER FLOAT "}}");
    cr_assert(
        read_of("2'db' 3'docs'" PARAMS ONE "8'a'", "\x12\x01x", "key", &searches[0], &messages[0]));
    cr_assert(read_of("2'db' 3'docs'" PARAMS "12:2 " VECTORS(ANOTHER FLOAT) "8'a'", "\x12\x01x",
                      "key", &searches[1], &messages[1]));
    /* The first one may be gone by then. */
    search_share_shape(&searches[1], blob_ref(searches[0].shape));
    struct blob *joined =
        search_join(&searches[1], 3, searches[0].vectors.length + searches[1].vectors.length);
    search_join_add(joined, &searches[0]);
    search_join_add(joined, &searches[1]);
    cr_expect(span_equal(blob_span(joined), blob_span(expected)));
    blob_unref(joined);
    blob_unref(expected);
    let_go(&searches[0], messages[0]);
    let_go(&searches[1], messages[1]);
}

Test(search, what_is_cut_short_goes_alone)
{
    struct blob *message = wire_text(REQUEST(ONE));
    struct search search;
    for (size_t length = 0; length < message->size; length++) {
        struct span cut = span_of(message->data, length);
        bool read = search_read(cut, span_of(NULL, 0), span_of(NULL, 0), &search);
        cr_expect_not(read, "%zu bytes", length);
        if (read)
            blob_unref(search.shape);
    }
    blob_unref(message);
}
