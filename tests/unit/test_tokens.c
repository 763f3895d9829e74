/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/rules.h"
#include "auth/token_hash.h"
#include "auth/tokens.h"
#include "auth/tokens_file.h"
#include "proto/base64.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SPAN(text)   span_of(text, sizeof(text) - 1)
#define START        1000 /* ms */
#define MINUTE       60000

static char path[] = "/tmp/mvb-tokens-XXXXXX";

static void create(void)
{
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(tokens, .init = create, .fini = remove_file);

static void put(const char *text, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, length, file), length);
    fclose(file);
}

/* "name:HASH\n" of each name, whose secret is "secret of NAME", and what stands before. */
static void put_tokens(const char *before, const char *const *names, size_t count)
{
    FILE *file = fopen(path, "wb");
    fputs(before, file);
    for (size_t i = 0; i < count; i++) {
        char secret[100];
        snprintf(secret, sizeof(secret), "secret of %s", names[i]);
        char *hash = token_hash_make(span_text(secret), true);
        cr_assert_not_null(hash);
        fprintf(file, "%s:%s\n", names[i], hash);
        free(hash);
    }
    fclose(file);
}

static struct tokens *opened(void)
{
    char *error = NULL;
    struct tokens *tokens = tokens_open(path, START, &error);
    cr_assert_not_null(tokens, "%s", error);
    return tokens;
}

static struct tokens *of_one(void)
{
    const char *const name = "laptop";
    put_tokens("", &name, 1);
    return opened();
}

static enum token_check check_at(struct tokens *tokens, const char *text, int64_t now)
{
    char shown[1000];
    const char *name;
    base64_encode(span_text(text), shown);
    return tokens_check(tokens, span_of(shown, BASE64_SIZE(strlen(text))), now, &name);
}

static enum token_check check(struct tokens *tokens, const char *text)
{
    return check_at(tokens, text, START);
}

/* ---- how it is shown ---- */

static void expect_shown(const char *authorization, const char *name, const char *secret)
{
    struct shown shown;
    cr_assert(shown_read(span_text(authorization), &shown), "%s", authorization);
    cr_expect(span_is(shown.name, name), "%s", authorization);
    cr_expect(span_is(shown.secret, secret), "%s", authorization);
}

Test(shown, in_each_form)
{
    expect_shown("YTpi", "a", "b"); /* a:b */
    expect_shown("YTpiOmM=", "a", "b:c");
    expect_shown("YTpiOmM", "a", "b:c");
    expect_shown("Basic YTpi", "a", "b");
    expect_shown("basic   YTpi", "a", "b");
    expect_shown("Bearer a:b", "a", "b");
    expect_shown("BEARER a:b:c", "a", "b:c");
    expect_shown("Bearer YTpi:x", "YTpi", "x");
    expect_shown("Og==", "", "");
}

Test(shown, none_of_them)
{
    static const char *const others[] = {
        "",       "a:b",  "YWI=",   "Bearer", "Bearer ",   "Bearer YTpi", "Basic",
        "Basic ", "????", "Digest", "Y",      "Bearera:b", "Basic a:b"};
    char large[2 * SHOWN_MAX];
    struct shown shown;
    for (size_t i = 0; i < COUNT(others); i++)
        cr_expect_not(shown_read(span_text(others[i]), &shown), "%s", others[i]);
    memset(large, 'a', sizeof(large));
    memcpy(large, "Bearer a:", 9);
    cr_expect_not(shown_read(span_of(large, 7 + SHOWN_MAX + 1), &shown));
    cr_expect(shown_read(span_of(large, 7 + SHOWN_MAX), &shown));
    memset(large, 'Y', sizeof(large));
    cr_expect_not(shown_read(span_of(large, sizeof(large)), &shown));
}

/* ---- hashes ---- */

Test(token_hash, is_salted_and_matches_its_secret_alone)
{
    char *one = token_hash_make(SPAN("secret"), true);
    char *two = token_hash_make(SPAN("secret"), true);
    cr_expect_str_neq(one, two);
    cr_expect(token_hash_valid(one));
    cr_expect(token_hash_matches(one, SPAN("secret")));
    cr_expect(token_hash_matches(two, SPAN("secret")));
    cr_expect_not(token_hash_matches(one, SPAN("secret ")));
    cr_expect_not(token_hash_matches(one, SPAN("Secret")));
    cr_expect_not(token_hash_matches(one, SPAN("secret\0x")));
    cr_expect_not(token_hash_matches(one, SPAN("")));
    free(one);
    free(two);
    char *chosen = token_hash_make(SPAN("secret"), false);
    cr_expect(token_hash_matches(chosen, SPAN("secret")));
    cr_expect(strncmp(chosen, "$y$j9T$", 7) == 0, "%s", chosen);
    free(chosen);
}

Test(token_hash, of_the_longest_secret)
{
    char secret[TOKEN_SECRET_MAX + 1];
    memset(secret, 'x', sizeof(secret));
    char *hash = token_hash_make(span_of(secret, TOKEN_SECRET_MAX), true);
    cr_expect(token_hash_matches(hash, span_of(secret, TOKEN_SECRET_MAX)));
    cr_expect_not(token_hash_matches(hash, span_of(secret, TOKEN_SECRET_MAX + 1)));
    cr_expect_not(token_hash_matches(hash, span_of(secret, TOKEN_SECRET_MAX - 1)));
    free(hash);
    cr_expect_null(token_hash_make(span_of(secret, TOKEN_SECRET_MAX + 1), true));
    cr_expect_null(token_hash_make(span_of(NULL, 0), true));
}

Test(token_hash, weak_ones_are_none)
{
    static const char *const weak[] = {"", "secret", "aaJ2x3", "$1$salt$hash", "*", "!", "$x$"};
    for (size_t i = 0; i < COUNT(weak); i++)
        cr_expect_not(token_hash_valid(weak[i]), "%s", weak[i]);
}

/* ---- the file ---- */

Test(tokens, what_the_file_may_hold)
{
    static const char *const names[] = {"laptop", "a", "x-1.y@z"};
    put_tokens("# tokens\r\n\n#laptop:nothing\n", names, COUNT(names));
    struct tokens *tokens = opened();
    for (size_t i = 0; i < COUNT(names); i++)
        cr_expect(tokens_have(tokens, names[i]), "%s", names[i]);
    cr_expect_not(tokens_have(tokens, "b"));
    cr_expect_str_eq(tokens_nearest(tokens, "latpop"), "laptop");
    cr_expect_null(tokens_nearest(tokens, "nothing like it"));
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    cr_expect_eq(check(tokens, "a:secret of a"), TOKEN_RIGHT);
    cr_expect_eq(check(tokens, "a:secret of laptop"), TOKEN_WRONG);
    tokens_close(tokens);
}

static void expect_error(const char *text, size_t length, const char *what)
{
    char *error = NULL;
    put(text, length);
    cr_expect_null(tokens_open(path, START, &error));
    cr_expect(error && strstr(error, what), "%s: %s", what, error);
    cr_expect_null(strstr(error, "hunter2"));
    free(error);
}

Test(tokens, faults_of_the_file)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        {"hunter2\n", "line 1: it is not NAME:HASH"},
        {"#\n\nlaptop:hunter2\n", "line 3: behind the colon is no hash that is safe to use"},
        {":$y$j75$a$b\n", "line 1: a name has 1 to 64"},
        {"a b:$y$j75$a$b\n", "line 1: a name has 1 to 64"},
        {"a:$y$j75$a$b\na:$y$j75$a$b\n", "line 2: the name stands twice"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_error(cases[i].text, strlen(cases[i].text), cases[i].what);
    expect_error("a:$y$j75$a$b\0x\n", 15, "line 1: it holds a NUL");
    char *large = malloc(TOKENS_FILE_MAX + 2);
    memset(large, '#', TOKENS_FILE_MAX + 2);
    expect_error(large, TOKENS_FILE_MAX + 1, "longer than 1 MiB");
    put(large, TOKENS_FILE_MAX);
    tokens_close(opened());
    free(large);
    chmod(path, 0644);
    expect_error("", 0, "chmod o=");
    remove_file();
    char *error = NULL;
    cr_expect_null(tokens_open(path, START, &error));
    cr_expect(strstr(error, "cannot read tokens_file"), "%s", error);
    free(error);
    tokens_close(NULL);
}

/* ---- checking ---- */

Test(tokens, right_and_wrong_ones)
{
    struct tokens *tokens = of_one();
    cr_expect_eq(check(tokens, "laptop:secret of lapto"), TOKEN_WRONG);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    cr_expect_eq(check(tokens, "laptop:"), TOKEN_WRONG);
    cr_expect_eq(check(tokens, "lapto:secret of laptop"), TOKEN_WRONG_YET);
    cr_expect_eq(check(tokens, "secret of laptop"), TOKEN_WRONG_YET);
    tokens_close(tokens);
}

Test(tokens, tell_their_name)
{
    struct tokens *tokens = of_one();
    const char *name;
    cr_expect_eq(tokens_check(tokens, SPAN("Bearer laptop:secret of laptop"), START, &name),
                 TOKEN_RIGHT);
    cr_expect_str_eq(name, "laptop");
    cr_expect_eq(tokens_check(tokens, SPAN("Bearer laptop:x"), START, &name), TOKEN_WRONG);
    cr_expect_str_eq(name, "laptop");
    cr_expect_eq(tokens_check(tokens, SPAN("Bearer x:x"), START, &name), TOKEN_WRONG_YET);
    cr_expect_null(name);
    tokens_close(tokens);
}

static int wrong_at(struct tokens *tokens, int *number, int64_t now)
{
    int count = 0;
    for (;; count++) {
        char text[100];
        snprintf(text, sizeof(text), "laptop:wrong %d", ++*number);
        if (check_at(tokens, text, now) != TOKEN_WRONG)
            return count;
    }
}

/* Nobody makes us hash without an end. */
Test(tokens, new_wrong_ones_are_few)
{
    struct tokens *tokens = of_one();
    int number = 0;
    cr_expect_eq(wrong_at(tokens, &number, START), TOKEN_TRIES);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_LATER);
    cr_expect_eq(wrong_at(tokens, &number, START + MINUTE / TOKEN_TRIES), 1);
    cr_expect_eq(check_at(tokens, "laptop:secret of laptop", START + MINUTE), TOKEN_RIGHT);
    wrong_at(tokens, &number, START + MINUTE);
    cr_expect_eq(check_at(tokens, "laptop:secret of laptop", START + MINUTE), TOKEN_RIGHT,
                 "who was right once does not suffer");
    tokens_close(tokens);
}

Test(tokens, the_same_wrong_one_costs_once)
{
    struct tokens *tokens = of_one();
    cr_expect_eq(check(tokens, "laptop:typo"), TOKEN_WRONG);
    for (int i = 0; i < 1000; i++)
        cr_expect_eq(check(tokens, "laptop:typo"), TOKEN_WRONG_YET);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    tokens_close(tokens);
}

/* Of many names together they take no more than a part of the time. */
Test(tokens, hashing_is_bounded_for_all_names_together)
{
    enum { NAMES = 200 };
    FILE *file = fopen(path, "wb");
    char *hash = token_hash_make(SPAN("secret"), false);
    for (int i = 0; i < NAMES; i++)
        fprintf(file, "name%d:%s\n", i, hash);
    fclose(file);
    free(hash);
    struct tokens *tokens = opened();
    int hashed = 0;
    for (int i = 0; i < NAMES; i++) {
        char text[100];
        snprintf(text, sizeof(text), "name%d:wrong", i);
        hashed += check(tokens, text) == TOKEN_WRONG;
    }
    cr_expect_gt(hashed, 0);
    cr_expect_lt(hashed, NAMES);
    cr_expect_eq(check(tokens, "name199:secret"), TOKEN_LATER);
    cr_expect_eq(check_at(tokens, "name199:secret", START + MINUTE), TOKEN_RIGHT);
    tokens_close(tokens);
}

/* ---- reading it again ---- */

static void refresh(struct tokens *tokens)
{
    char *error = NULL;
    cr_assert_eq(tokens_refresh(tokens, START, &error), 0, "%s", error);
}

Test(tokens, taken_back_and_added)
{
    const char *const first[] = {"laptop", "phone"};
    const char *const second[] = {"phone", "tablet"};
    put_tokens("", first, 2);
    struct tokens *tokens = opened();
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    cr_expect_eq(check(tokens, "phone:secret of phone"), TOKEN_RIGHT);
    put_tokens("", second, 2);
    refresh(tokens);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_WRONG_YET);
    cr_expect_eq(check(tokens, "phone:secret of phone"), TOKEN_RIGHT);
    cr_expect_eq(check(tokens, "tablet:secret of tablet"), TOKEN_RIGHT);
    tokens_close(tokens);
}

Test(tokens, another_secret_of_the_same_name)
{
    struct tokens *tokens = of_one();
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    char *hash = token_hash_make(SPAN("new"), true);
    char line[200];
    snprintf(line, sizeof(line), "laptop:%s\n", hash);
    put(line, strlen(line));
    free(hash);
    refresh(tokens);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_WRONG);
    cr_expect_eq(check(tokens, "laptop:new"), TOKEN_RIGHT);
    tokens_close(tokens);
}

/* A line that has not changed keeps what is known of it: its tries, too. */
Test(tokens, the_same_line_gives_no_new_tries)
{
    struct tokens *tokens = of_one();
    int number = 0;
    wrong_at(tokens, &number, START);
    refresh(tokens);
    cr_expect_eq(wrong_at(tokens, &number, START), 0);
    tokens_close(tokens);
}

Test(tokens, a_faulty_file_changes_nothing)
{
    struct tokens *tokens = of_one();
    char *error = NULL;
    put("nothing", 7);
    cr_expect_eq(tokens_refresh(tokens, START, &error), -1);
    cr_expect_not_null(error);
    free(error);
    cr_expect_eq(check(tokens, "laptop:secret of laptop"), TOKEN_RIGHT);
    tokens_close(tokens);
}

/* ---- for the rules ---- */

Test(tokens, names_in_rules_must_be_there)
{
    const char *const name = "laptop";
    struct conf_rule rules[] = {
        {.number = 1}, {.match.token = "laptop"}, {.match.token = "latpop", .token_place = {7, 9}}};
    struct conf conf = {.rules = rules, .rule_count = 2, .tokens_file = path};
    struct tokens *tokens = NULL;
    struct conf_fault fault;
    put_tokens("", &name, 1);
    cr_assert_eq(rules_open_tokens(&conf, START, &tokens, &fault), 0);
    cr_expect_not_null(tokens);
    tokens_close(tokens);
    conf.rule_count = 3;
    cr_assert_eq(rules_open_tokens(&conf, START, &tokens, &fault), -1);
    cr_expect_str_eq(fault.text, "\"token\": no token \"latpop\" in tokens_file; did you mean "
                                 "\"laptop\"?");
    cr_expect_eq(fault.line, 7);
    cr_expect_eq(fault.column, 9);
    free(fault.text);
    rules[2].match.token = "nothing-like-it";
    cr_assert_eq(rules_open_tokens(&conf, START, &tokens, &fault), -1);
    cr_expect(strstr(fault.text, "add it by `milvus-bouncer token`"));
    free(fault.text);
    conf = (struct conf){0};
    cr_assert_eq(rules_open_tokens(&conf, START, &tokens, &fault), 0);
    cr_expect_null(tokens);
}
