/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/search_reply.h"
#include "wire_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A reply to three callers, of whom the second asked two vectors, unless it is said otherwise. */
static const uint32_t callers[] = {1, 2, 1};
#define CALLERS COUNT(callers)
#define VECTORS 4

static char *print(struct span bytes)
{
    char *text = calloc(1, 2 * bytes.length + 1);
    for (size_t i = 0; i < bytes.length; i++)
        sprintf(text + 2 * i, "%02x", bytes.at[i]);
    return text;
}

static void expect_bytes(struct span bytes, const char *expected, const char *of)
{
    struct blob *message = wire_text(expected);
    char *is = print(bytes);
    char *should = print(blob_span(message));
    cr_expect_str_eq(is, should, "%s", of);
    free(is);
    free(should);
    blob_unref(message);
}

static struct search_reply *read_text(struct blob *message, uint32_t vectors)
{
    const char *why = "";
    struct search_reply *reply = search_reply_read(blob_span(message), vectors, &why);
    cr_assert_not_null(reply, "not understood: %s", why);
    return reply;
}

static void expect_part(struct search_reply *reply, uint32_t vectors, const char *expected,
                        const char *of)
{
    struct blob *part = search_reply_take(reply, vectors);
    expect_bytes(blob_span(part), expected, of);
    blob_unref(part);
}

/* What the three callers get of a reply. */
static void expect_parts(const char *text, const char *const *parts)
{
    struct blob *message = wire_text(text);
    struct search_reply *reply = read_text(message, VECTORS);
    for (size_t i = 0; i < CALLERS; i++)
        expect_part(reply, callers[i], parts[i], text);
    search_reply_free(reply);
    blob_unref(message);
}

/* A reply with 2, 3 and 1 rows for the callers: the first of the second's vectors has none. */
#define ROWS(COLUMN)                                                                               \
    "1{} 2{1:4 2:1 " COLUMN " 4(1 2 3 4 5 6) 5{1{1[1 2 300 4 5 6]}} 6[2 0 3 1]} 3'docs'"
#define FIRST(COLUMN)  "1{} 2{1:1 2:2 " COLUMN " 4(1 2) 5{1{1[1 2]}} 6[2]} 3'docs'"
#define SECOND(COLUMN) "1{} 2{1:2 2:3 " COLUMN " 4(3 4 5) 5{1{1[300 4 5]}} 6[0 3]} 3'docs'"
#define THIRD(COLUMN)  "1{} 2{1:1 2:1 " COLUMN " 4(6) 5{1{1[6]}} 6[1]} 3'docs'"

/* A column as it stands, and as it is for each. */
#define COLUMN(ALL, A, B, C)                                                                       \
    {                                                                                              \
        ROWS(ALL),                                                                                 \
        {                                                                                          \
            FIRST(A), SECOND(B), THIRD(C)                                                          \
        }                                                                                          \
    }

struct cut {
    const char *reply;
    const char *parts[CALLERS];
};

static void expect_cuts(const struct cut *cuts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_parts(cuts[i].reply, cuts[i].parts);
}

Test(search_reply, rows_go_to_those_who_asked)
{
    static const struct cut cuts[] = {COLUMN("", "", "", "")};
    expect_cuts(cuts, COUNT(cuts));
}

Test(search_reply, what_all_share_is_copied)
{
    static const struct cut cuts[] = {
        {"1{1:0 3:0} 2{1:4 6[0 0 0 0] 7'a' 7'b' 9:77 13'id'} 3'docs' 4:99",
         {"1{1:0 3:0} 2{1:1 6[0] 7'a' 7'b' 9:77 13'id'} 3'docs' 4:99",
          "1{1:0 3:0} 2{1:2 6[0 0] 7'a' 7'b' 9:77 13'id'} 3'docs' 4:99",
          "1{1:0 3:0} 2{1:1 6[0] 7'a' 7'b' 9:77 13'id'} 3'docs' 4:99"}},
        {"2{1:4 6[0 0 0 0]}", {"2{1:1 6[0]}", "2{1:2 6[0 0]}", "2{1:1 6[0]}"}},
        {"1{2'empty'} 2{1:4 6[0 0 0 0]}",
         {"1{2'empty'} 2{1:1 6[0]}", "1{2'empty'} 2{1:2 6[0 0]}", "1{2'empty'} 2{1:1 6[0]}"}},
    };
    expect_cuts(cuts, COUNT(cuts));
}

Test(search_reply, keys_are_numbers_or_text)
{
    static const struct cut cuts[] = {
        {"2{1:4 2:1 4(1 2 3) 5{2{1'a' 1'' 1'ccc'}} 6[1 1 0 1]}",
         {"2{1:1 2:1 4(1) 5{2{1'a'}} 6[1]}", "2{1:2 4(2) 5{2{1''}} 6[1 0]}",
          "2{1:1 2:1 4(3) 5{2{1'ccc'}} 6[1]}"}},
        {"2{1:4 2:1 4(1 2 3) 5{1{1[-1 0 9223372036854775807]}} 6[1 1 0 1]}",
         {"2{1:1 2:1 4(1) 5{1{1[-1]}} 6[1]}", "2{1:2 4(2) 5{1{1[0]}} 6[1 0]}",
          "2{1:1 2:1 4(3) 5{1{1[9223372036854775807]}} 6[1]}"}},
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* 10: one for each row; 12: one for each vector. */
Test(search_reply, distances_and_recalls)
{
    static const struct cut cuts[] = {
        COLUMN("10(6 5 4 3 2 1) 12(0.5 0.6 0.7 0.8)", "10(6 5) 12(0.5)", "10(4 3 2) 12(0.6 0.7)",
               "10(1) 12(0.8)"),
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* A field record as Milvus writes it: the data, then the number. */
#define FIELD(DATA) "3{1:5 2'f' " DATA " 5:101}"
#define DATA(ALL, A, B, C)                                                                         \
    COLUMN(FIELD("3{" ALL "}"), FIELD("3{" A "}"), FIELD("3{" B "}"), FIELD("3{" C "}"))
#define VECTOR(ALL, A, B, C)                                                                       \
    COLUMN(FIELD("4{" ALL "}"), FIELD("4{" A "}"), FIELD("4{" B "}"), FIELD("4{" C "}"))

Test(search_reply, scalars)
{
    static const struct cut cuts[] = {
        DATA("1{1[1 0 0 1 1 0]}", "1{1[1 0]}", "1{1[0 1 1]}", "1{1[0]}"),
        DATA("2{1[1 -2 300 4 5 6]}", "2{1[1 -2]}", "2{1[300 4 5]}", "2{1[6]}"),
        DATA("3{1[1 -2 300 4 5 6]}", "3{1[1 -2]}", "3{1[300 4 5]}", "3{1[6]}"),
        DATA("4{1(1 2 3 4 5 6)}", "4{1(1 2)}", "4{1(3 4 5)}", "4{1(6)}"),
        DATA("5{1<1 2 3 4 5 6>}", "5{1<1 2>}", "5{1<3 4 5>}", "5{1<6>}"),
        DATA("6{1'a' 1'' 1'c' 1'd' 1'e' 1'f'}", "6{1'a' 1''}", "6{1'c' 1'd' 1'e'}", "6{1'f'}"),
        DATA("7{1'a' 1'' 1'c' 1'd' 1'e' 1'f'}", "7{1'a' 1''}", "7{1'c' 1'd' 1'e'}", "7{1'f'}"),
        DATA("9{1'{}' 1'1' 1'2' 1'3' 1'4' 1'5'}", "9{1'{}' 1'1'}", "9{1'2' 1'3' 1'4'}", "9{1'5'}"),
        DATA("10{1'a' 1'b' 1'c' 1'd' 1'e' 1'f'}", "10{1'a' 1'b'}", "10{1'c' 1'd' 1'e'}",
             "10{1'f'}"),
        DATA("11{1[1 -2 300 4 5 6]}", "11{1[1 -2]}", "11{1[300 4 5]}", "11{1[6]}"),
        DATA("12{1'a' 1'b' 1'c' 1'd' 1'e' 1'f'}", "12{1'a' 1'b'}", "12{1'c' 1'd' 1'e'}",
             "12{1'f'}"),
        /* arrays: a ScalarField for each row, an empty one without anything */
        DATA("8{1{3{1[1 2]}} 1{3{}} 1{} 1{3{1[4]}} 1{3{1[5]}} 1{3{1[6]}} 2:5}",
             "8{1{3{1[1 2]}} 1{3{}} 2:5}", "8{1{} 1{3{1[4]}} 1{3{1[5]}} 2:5}", "8{1{3{1[6]}} 2:5}"),
    };
    expect_cuts(cuts, COUNT(cuts));
}

Test(search_reply, vectors)
{
    static const struct cut cuts[] = {
        VECTOR("1:2 2{1(1 1 2 2 3 3 4 4 5 5 6 6)}", "1:2 2{1(1 1 2 2)}", "1:2 2{1(3 3 4 4 5 5)}",
               "1:2 2{1(6 6)}"),
        VECTOR("1:16 3'aabbccddeeff'", "1:16 3'aabb'", "1:16 3'ccddee'", "1:16 3'ff'"),
        VECTOR("1:1 4'aabbccddeeff'", "1:1 4'aabb'", "1:1 4'ccddee'", "1:1 4'ff'"),
        VECTOR("1:1 5'aabbccddeeff'", "1:1 5'aabb'", "1:1 5'ccddee'", "1:1 5'ff'"),
        VECTOR("1:2 7'aabbccddeeff'", "1:2 7'aabb'", "1:2 7'ccddee'", "1:2 7'ff'"),
        VECTOR("1:2 8{1:2 2{1:2 2{1(1 2)}} 2{} 2{1:3} 2{1:4} 2{1:5} 2{1:6} 3:101}",
               "1:2 8{1:2 2{1:2 2{1(1 2)}} 2{} 3:101}", "1:2 8{1:2 2{1:3} 2{1:4} 2{1:5} 3:101}",
               "1:2 8{1:2 2{1:6} 3:101}"),
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* An index and a value of four bytes each. */
#define AT_4   "x0400000000000000'"
#define AT_300 "x040000000000803f2c01000000000000'"

Test(search_reply, sparse_vectors_have_their_own_dimension)
{
    static const struct cut cuts[] = {
        VECTOR("6{1" AT_4 " 1'' 1" AT_300 " 1'' 1" AT_4 " 1'' 2:301}", "6{1" AT_4 " 1'' 2:5}",
               "6{1" AT_300 " 1'' 1" AT_4 " 2:301}", "6{1''}"),
        /* not as it is known: for all the same */
        VECTOR("6{1" AT_4 " 1'' 1" AT_300 " 1'' 1" AT_4 " 1'' 2:400}", "6{1" AT_4 " 1'' 2:400}",
               "6{1" AT_300 " 1'' 1" AT_4 " 2:400}", "6{1'' 2:400}"),
        VECTOR("1:301 6{1" AT_4 " 1'' 1" AT_300 " 1'' 1" AT_4 " 1''}", "1:301 6{1" AT_4 " 1''}",
               "1:301 6{1" AT_300 " 1'' 1" AT_4 "}", "1:301 6{1''}"),
    };
    expect_cuts(cuts, COUNT(cuts));
}

#define STRUCT(NUMBERS, TEXTS) "3{1:200 2's' 8{1{2'n' 3{" NUMBERS "}} 1{2't' 3{" TEXTS "}}} 5:101}"

Test(search_reply, structs)
{
    static const struct cut cuts[] = {
        COLUMN(STRUCT("3{1[1 2 3 4 5 6]}", "6{1'a' 1'b' 1'c' 1'd' 1'e' 1'f'}"),
               STRUCT("3{1[1 2]}", "6{1'a' 1'b'}"), STRUCT("3{1[3 4 5]}", "6{1'c' 1'd' 1'e'}"),
               STRUCT("3{1[6]}", "6{1'f'}")),
    };
    expect_cuts(cuts, COUNT(cuts));
}

Test(search_reply, values_that_may_be_null)
{
    static const struct cut cuts[] = {
        /* one for each row */
        COLUMN(FIELD("3{3{1[1 0 3 0 5 0]}} 7[1 0 1 0 1 0]"), FIELD("3{3{1[1 0]}} 7[1 0]"),
               FIELD("3{3{1[3 0 5]}} 7[1 0 1]"), FIELD("3{3{1[0]}} 7[0]")),
        /* one for each that is not null */
        COLUMN(FIELD("3{6{1'a' 1'c' 1'e'}} 7[1 0 1 0 1 0]"), FIELD("3{6{1'a'}} 7[1 0]"),
               FIELD("3{6{1'c' 1'e'}} 7[1 0 1]"), FIELD("3{6{}} 7[0]")),
        COLUMN(FIELD("4{1:2 2{1(1 1 3 3 5 5)}} 7[1 0 1 0 1 0]"), FIELD("4{1:2 2{1(1 1)}} 7[1 0]"),
               FIELD("4{1:2 2{1(3 3 5 5)}} 7[1 0 1]"), FIELD("4{1:2 2{}} 7[0]")),
        COLUMN(FIELD("4{1:8 7'aaaaaaaacccccccceeeeeeee'} 7[1 0 1 0 1 0]"),
               FIELD("4{1:8 7'aaaaaaaa'} 7[1 0]"), FIELD("4{1:8 7'cccccccceeeeeeee'} 7[1 0 1]"),
               FIELD("4{1:8 7''} 7[0]")),
        COLUMN(FIELD("4{6{1" AT_4 " 1" AT_300 " 2:301}} 7[1 0 0 0 1 0]"),
               FIELD("4{6{1" AT_4 " 2:5}} 7[1 0]"), FIELD("4{6{1" AT_300 " 2:301}} 7[0 0 1]"),
               FIELD("4{6{}} 7[0]")),
        /* nothing but nulls */
        COLUMN(FIELD("3{} 7[0 0 0 0 0 0]"), FIELD("3{} 7[0 0]"), FIELD("3{} 7[0 0 0]"),
               FIELD("3{} 7[0]")),
        COLUMN(FIELD("7[0 0 0 0 0 0]"), FIELD("7[0 0]"), FIELD("7[0 0 0]"), FIELD("7[0]")),
        /* said before the data */
        COLUMN(FIELD("7[1 1 1 0 1 1] 3{3{1[1 2 3 5 6]}}"), FIELD("7[1 1] 3{3{1[1 2]}}"),
               FIELD("7[1 0 1] 3{3{1[3 5]}}"), FIELD("7[1] 3{3{1[6]}}")),
        COLUMN(FIELD("3{3{1[1 2 3 4 5 6]}} 7[1 1 1 1 1 1]"), FIELD("3{3{1[1 2]}} 7[1 1]"),
               FIELD("3{3{1[3 4 5]}} 7[1 1 1]"), FIELD("3{3{1[6]}} 7[1]")),
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* Milvus Lite, whose fields have no numbers: top_k is the limit, valid_data stands only where there
 * is a null, and a caller without hits gets all fields, empty. */
Test(search_reply, lite)
{
    static const char text[] =
        "1{} 2{1:4 2:5 "
        "3{1:5 2'n' 3{3{1[1 0 3 4 5]}} 7[1 0 1 1 1]} 3{1:101 2'v' 4{1:1 2{1(1 2 3 4 5)}}} "
        "3{1:22 2'a' 3{8{1{} 1{} 1{} 1{} 1{} 2:5}}} 3{1:23 2'$meta' 3{9{1'1' 1'2' 1'3' 1'4' 1'5'}} "
        "6:1} 4(1 2 3 4 5) 5{1{1[1 2 3 4 5]}} 6[2 2 1 0] 7'n' 13'id'}";
    static const char *const parts[] = {
        "1{} 2{1:1 2:5 3{1:5 2'n' 3{3{1[1 0]}} 7[1 0]} 3{1:101 2'v' 4{1:1 2{1(1 2)}}} "
        "3{1:22 2'a' 3{8{1{} 1{} 2:5}}} 3{1:23 2'$meta' 3{9{1'1' 1'2'}} 6:1} "
        "4(1 2) 5{1{1[1 2]}} 6[2] 7'n' 13'id'}",
        "1{} 2{1:2 2:5 3{1:5 2'n' 3{3{1[3 4 5]}}} 3{1:101 2'v' 4{1:1 2{1(3 4 5)}}} "
        "3{1:22 2'a' 3{8{1{} 1{} 1{} 2:5}}} 3{1:23 2'$meta' 3{9{1'3' 1'4' 1'5'}} 6:1} "
        "4(3 4 5) 5{1{1[3 4 5]}} 6[2 1] 7'n' 13'id'}",
        "1{} 2{1:1 2:5 3{1:5 2'n' 3{3{}}} 3{1:101 2'v' 4{1:1 2{}}} 3{1:22 2'a' 3{8{2:5}}} "
        "3{1:23 2'$meta' 3{9{}} 6:1} 5{1{}} 6[0] 7'n' 13'id'}",
    };
    expect_parts(text, parts);
}

Test(search_reply, lite_says_its_limit)
{
#define LITE(K) "2:2 3{1:101 2'v' 4{1:1 2{1(" K ")}}} 4(" K ") 5{1{1[" K "]}}"
    static const char *const parts[] = {"2{1:1 " LITE("1") " 6[1]}", "2{1:2 " LITE("2") " 6[1 0]}",
                                        "2{1:1 " LITE("3 4") " 6[2]}"};
    expect_parts("2{1:4 " LITE("1 2 3 4") " 6[1 1 0 2]}", parts);
}

/* Milvus: top_k is the hits of the last vector, and does not stand when it has none. */
Test(search_reply, top_k)
{
    static const struct cut cuts[] = {
        {"2{1:4 4(1 2 3) 5{1{1[1 2 3]}} 6[1 0 2 0]}",
         {"2{1:1 2:1 4(1) 5{1{1[1]}} 6[1]}", "2{1:2 2:2 4(2 3) 5{1{1[2 3]}} 6[0 2]}",
          "2{1:1 5{1{}} 6[0]}"}},
        {"2{1:4 2:2 4(1 2 3) 5{1{1[1 2 3]}} 6[1 0 0 2]}",
         {"2{1:1 2:1 4(1) 5{1{1[1]}} 6[1]}", "2{1:2 5{1{}} 6[0 0]}",
          "2{1:1 2:2 4(2 3) 5{1{1[2 3]}} 6[2]}"}},
        /* anything else is the same for all */
        {"2{1:4 2:7 4(1 2 3) 5{1{1[1 2 3]}} 6[1 0 0 2]}",
         {"2{1:1 2:7 4(1) 5{1{1[1]}} 6[1]}", "2{1:2 2:7 5{1{}} 6[0 0]}",
          "2{1:1 2:7 4(2 3) 5{1{1[2 3]}} 6[2]}"}},
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* A part may be longer than the reply, by its top_k. */
Test(search_reply, part_longer_than_the_reply)
{
    struct blob *message = wire_text("2{1:2 4(1) 5{1{1[1]}} 6[1 0]}");
    struct search_reply *reply = read_text(message, 2);
    expect_part(reply, 1, "2{1:1 2:1 4(1) 5{1{1[1]}} 6[1]}", "with a hit");
    expect_part(reply, 1, "2{1:1 5{1{}} 6[0]}", "without");
    search_reply_free(reply);
    blob_unref(message);
}

Test(search_reply, milvus_without_hits)
{
    static const struct cut cuts[] = {
        /* no vectors among the fields: their heads */
        {"2{1:4 3{1:5 2'n' 3{3{1[7]}} 5:101} 3{1:22 2'a' 3{8{1{} 2:5}} 5:102} "
         "3{1:23 2'$meta' 3{9{1'{}'}} 5:103 6:1} 4(1) 5{1{1[1]}} 6[1 0 0 0]}",
         {"2{1:1 2:1 3{1:5 2'n' 3{3{1[7]}} 5:101} 3{1:22 2'a' 3{8{1{} 2:5}} 5:102} "
          "3{1:23 2'$meta' 3{9{1'{}'}} 5:103 6:1} 4(1) 5{1{1[1]}} 6[1]}",
          "2{1:2 3{1:5 2'n' 5:101} 3{1:22 2'a' 3{8{2:5}} 5:102} "
          "3{1:23 2'$meta' 5:103 6:1} 5{1{}} 6[0 0]}",
          "2{1:1 3{1:5 2'n' 5:101} 3{1:22 2'a' 3{8{2:5}} 5:102} "
          "3{1:23 2'$meta' 5:103 6:1} 5{1{}} 6[0]}"}},
        /* a vector among them: none */
        {"2{1:4 3{1:5 2'n' 3{3{1[7]}} 5:101} 3{1:101 2'v' 4{1:1 2{1(7)}} 5:102} "
         "4(1) 5{2{1'k'}} 6[1 0 0 0] 7'n' 7'v'}",
         {"2{1:1 2:1 3{1:5 2'n' 3{3{1[7]}} 5:101} 3{1:101 2'v' 4{1:1 2{1(7)}} 5:102} "
          "4(1) 5{2{1'k'}} 6[1] 7'n' 7'v'}",
          "2{1:2 5{2{}} 6[0 0] 7'n' 7'v'}", "2{1:1 5{2{}} 6[0] 7'n' 7'v'}"}},
        /* nobody has any: as it stands */
        {"2{1:4 3{1:5 2'n' 5:101} 3{1:22 2'a' 3{8{2:5}} 5:102} 5{} 6[0 0 0 0]}",
         {"2{1:1 3{1:5 2'n' 5:101} 3{1:22 2'a' 3{8{2:5}} 5:102} 5{} 6[0]}",
          "2{1:2 3{1:5 2'n' 5:101} 3{1:22 2'a' 3{8{2:5}} 5:102} 5{} 6[0 0]}",
          "2{1:1 3{1:5 2'n' 5:101} 3{1:22 2'a' 3{8{2:5}} 5:102} 5{} 6[0]}"}},
        {"2{1:4 3{1:101 2'v' 4{1:3 2{}} 5:102} 6[0 0 0 0]}",
         {"2{1:1 3{1:101 2'v' 4{1:3 2{}} 5:102} 6[0]}",
          "2{1:2 3{1:101 2'v' 4{1:3 2{}} 5:102} 6[0 0]}",
          "2{1:1 3{1:101 2'v' 4{1:3 2{}} 5:102} 6[0]}"}},
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* Fields of Milvus 2.3.5 stand in any order; parts keep it. */
Test(search_reply, order_stays)
{
    static const struct cut cuts[] = {
        {"3'docs' 2{6[1 0 0 0] 5{1{1[1]}} 3{5:101 3{3{1[7]}} 2'n' 1:5} 4(1) 1:4} 1{}",
         {"3'docs' 2{6[1] 5{1{1[1]}} 3{5:101 3{3{1[7]}} 2'n' 1:5} 4(1) 1:1 2:1} 1{}",
          "3'docs' 2{6[0 0] 5{1{}} 3{5:101 2'n' 1:5} 1:2} 1{}",
          "3'docs' 2{6[0] 5{1{}} 3{5:101 2'n' 1:5} 1:1} 1{}"}},
    };
    expect_cuts(cuts, COUNT(cuts));
}

/* More fields than there is room for at first, and messages whose lengths take more than a byte. */
Test(search_reply, large)
{
    enum { FIELDS = 200, HITS = 500 };
    char *all = calloc(1, 1u << 20);
    char *half = calloc(1, 1u << 20);
    char *at[] = {all + sprintf(all, "2{1:2 2:%d ", HITS),
                  half + sprintf(half, "2{1:1 2:%d ", HITS)};
    for (int i = 0; i < FIELDS; i++) {
        for (int side = 0; side < 2; side++) {
            at[side] += sprintf(at[side], "3{1:5 2'f' 3{3{1[");
            for (int row = 0; row < HITS * (2 - side); row++)
                at[side] += sprintf(at[side], "%d ", i);
            at[side] += sprintf(at[side], "]}} 5:101} ");
        }
    }
    for (int side = 0; side < 2; side++) {
        at[side] += sprintf(at[side], "4(");
        for (int row = 0; row < HITS * (2 - side); row++)
            at[side] += sprintf(at[side], "1 ");
        at[side] += sprintf(at[side], ") 5{2{");
        for (int row = 0; row < HITS * (2 - side); row++)
            at[side] += sprintf(at[side], "1'k' ");
        at[side] += sprintf(at[side], side ? "}} 6[%d]}" : "}} 6[%d %d]}", HITS, HITS);
    }
    struct blob *message = wire_text(all);
    struct search_reply *reply = read_text(message, 2);
    expect_part(reply, 1, half, "the first");
    expect_part(reply, 1, half, "the second");
    search_reply_free(reply);
    blob_unref(message);
    free(all);
    free(half);
}
