/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "conf/suggest.h"

static const char *const keys[] = {"ttl",  "tls", "queue_size", "queue_timeout",
                                   "user", "uri", NULL};

static const char *nearest(const char *word)
{
    return suggest_nearest(word, keys);
}

Test(suggest, finds_the_nearest)
{
    cr_expect_str_eq(nearest("quue_size"), "queue_size");
    cr_expect_str_eq(nearest("queue-size"), "queue_size");
    cr_expect_str_eq(nearest("Queue_Size"), "queue_size");
    cr_expect_str_eq(nearest("qeuue_tmieout"), "queue_timeout");
    cr_expect_str_eq(nearest("usre"), "user");
    cr_expect_str_eq(nearest("url"), "uri");
    cr_expect_str_eq(nearest("tlss"), "tls");
}

Test(suggest, takes_the_first_of_equals)
{
    cr_expect_str_eq(nearest("tl"), "ttl");
}

Test(suggest, knows_its_limit)
{
    cr_expect_str_eq(nearest("queue_sXXX"), "queue_size");
    cr_expect_null(nearest("queue_XXXX"));
    cr_expect_null(nearest("xx"));
    cr_expect_null(nearest(""));
    cr_expect_null(nearest("connections"));
}

Test(suggest, ignores_words_that_are_too_long)
{
    char word[66];
    memset(word, 'a', 65);
    word[65] = '\0';
    const char *const same[] = {word, NULL};
    cr_expect_null(suggest_nearest(word, same));
    word[64] = '\0';
    cr_expect_eq(suggest_nearest(word, same), same[0]);
}
