/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a rule is for, and what it allows: of every RPC in the table, against every right. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "auth/access.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALL_RIGHTS   ((1U << RPC_CLASS_SESSION) - 1)

static const struct conf_listener local = {.database = "default"};
static const struct conf_listener other = {.database = "default"};

/* ---- whom it is for ---- */

static struct conf_match of_anybody(void)
{
    return (struct conf_match){.uid = (uid_t)-1, .gid = (gid_t)-1};
}

static struct identity somebody(void)
{
    static gid_t groups[] = {30, 31};
    return (struct identity){.listener = &local,
                             .has_peer = true,
                             .uid = 10,
                             .gid = 20,
                             .groups = groups,
                             .group_count = COUNT(groups)};
}

/* Of the rules, in this order; 0: none, else its number. */
static unsigned found(const struct conf_match *matches, size_t count, struct identity identity)
{
    struct conf_rule rules[8] = {0};
    for (size_t i = 0; i < count; i++) {
        rules[i].number = (unsigned)i + 1;
        rules[i].match = matches[i];
    }
    const struct conf conf = {.rules = rules, .rule_count = count};
    const struct conf_rule *rule = access_find(&conf, &identity);
    return rule ? rule->number : 0;
}

static bool matches(struct conf_match match, struct identity identity)
{
    return found(&match, 1, identity) == 1;
}

Test(access, no_rule_is_for_nobody)
{
    cr_expect_eq(found(NULL, 0, somebody()), 0);
}

Test(access, by_user)
{
    struct conf_match match = of_anybody();
    match.uid = 10;
    cr_expect(matches(match, somebody()));
    match.uid = 11;
    cr_expect_not(matches(match, somebody()));
    match.uid = 0;
    cr_expect_not(matches(match, (struct identity){.listener = &local}), "over TCP nobody is root");
}

Test(access, by_group_first_or_further)
{
    struct conf_match match = of_anybody();
    for (gid_t gid = 19; gid < 33; gid++) {
        match.gid = gid;
        cr_expect_eq(matches(match, somebody()), gid == 20 || gid == 30 || gid == 31, "%u", gid);
    }
    match.gid = 0;
    cr_expect_not(matches(match, (struct identity){.listener = &local}), "over TCP nobody is root");
}

Test(access, by_listener)
{
    struct conf_match match = of_anybody();
    match.listener = &local;
    cr_expect(matches(match, somebody()));
    match.listener = &other;
    cr_expect_not(matches(match, somebody()));
}

Test(access, by_token)
{
    struct conf_match match = of_anybody();
    struct identity identity = somebody();
    match.token = "laptop";
    cr_expect_not(matches(match, identity));
    identity.token = "other";
    cr_expect_not(matches(match, identity));
    identity.token = "laptop";
    cr_expect(matches(match, identity));
}

Test(access, all_of_a_rule_must_be_so)
{
    struct conf_match match = {.uid = 10, .gid = 30, .listener = &local, .token = "laptop"};
    struct identity identity = somebody();
    identity.token = "laptop";
    cr_expect(matches(match, identity));
    for (int i = 0; i < 4; i++) {
        struct conf_match one = match;
        one.uid = i == 0 ? 11 : one.uid;
        one.gid = i == 1 ? 32 : one.gid;
        one.listener = i == 2 ? &other : one.listener;
        one.token = i == 3 ? "other" : one.token;
        cr_expect_not(matches(one, identity), "%d", i);
    }
}

Test(access, first_that_matches_wins)
{
    struct conf_match rules[] = {of_anybody(), of_anybody(), of_anybody()};
    rules[0].uid = 11;
    rules[1].uid = 10;
    cr_expect_eq(found(rules, 3, somebody()), 2);
    rules[1].uid = 12;
    cr_expect_eq(found(rules, 3, somebody()), 3);
}

/* A token is looked at where it could lead to another rule. */
Test(access, asks_for_a_token_only_where_it_counts)
{
    struct conf_rule rules[] = {{.match = of_anybody()}, {.match = of_anybody()}};
    const struct conf conf = {.rules = rules, .rule_count = 2};
    struct identity identity = somebody();
    cr_expect_not(access_asks_token(&conf, &identity));
    rules[1].match.token = "laptop";
    cr_expect_not(access_asks_token(&conf, &identity), "the first has everybody");
    rules[0].match.uid = 11;
    cr_expect(access_asks_token(&conf, &identity));
    rules[1].match.listener = &other;
    cr_expect_not(access_asks_token(&conf, &identity), "it is for another address");
}

/* ---- which entries of `databases` it reaches ---- */

Test(access, reaches_what_it_grants)
{
    static const struct conf_database databases[] = {
        {.name = "books"}, {.name = "films"}, {.name = "*"}};
    static const struct {
        const char *granted[2];
        size_t count; /* 0: all */
        bool reaches[3];
    } cases[] = {
        {{NULL}, 0, {true, true, true}},
        {{"books"}, 1, {true, false, false}},
        {{"films", "books"}, 2, {true, true, false}},
        {{"other"}, 1, {false, false, true}},
        {{"films", "other"}, 2, {false, true, true}},
    };
    const struct conf conf = {.databases = databases, .database_count = COUNT(databases)};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct conf_rule rule = {.databases = cases[i].granted,
                                       .database_count = cases[i].count};
        for (size_t j = 0; j < COUNT(databases); j++)
            cr_expect_eq(access_reaches(&conf, &rule, &databases[j]), cases[i].reaches[j],
                         "case %zu, database %s", i, databases[j].name);
    }
}

/* ---- what it allows ---- */

static const struct row {
    const char *name;
    enum rpc_class class;
} rows[] = {
#define RPC(rpc, database, collection, class, repeatable, cache, status) {#rpc, RPC_CLASS_##class},
#include "proto/rpcs.def"
#undef RPC
};

static bool allows(const struct conf_rule *rule, const char *method, const char *database)
{
    char why[ACCESS_WHY_MAX] = "";
    char path[RPC_PATH_MAX];
    rpc_method_path(span_text(method), path);
    const struct access_question question = {
        .rpc = rpc_find(span_text(method)), .path = path, .database = span_text(database)};
    bool allowed = access_allows(rule, &question, why);
    cr_expect_eq(allowed, *why == '\0', "%s: %s", method, why);
    return allowed;
}

/* Each RPC against each set of rights. */
Test(access, each_rpc_against_each_right)
{
    for (unsigned classes = 0; classes <= ALL_RIGHTS; classes++) {
        const struct conf_rule rule = {.number = 1, .allow.classes = classes};
        const struct conf_rule read_only = {
            .number = 1, .allow.classes = classes, .read_only = true};
        for (size_t i = 0; i < COUNT(rows); i++) {
            bool is_session = rows[i].class == RPC_CLASS_SESSION;
            bool has_right = is_session || (classes >> rows[i].class & 1);
            bool changes = !is_session && rows[i].class != RPC_CLASS_READ;
            cr_expect_eq(allows(&rule, rows[i].name, "a"), has_right, "%s, %#x", rows[i].name,
                         classes);
            cr_expect_eq(allows(&read_only, rows[i].name, "a"), has_right && !changes, "%s, %#x",
                         rows[i].name, classes);
        }
    }
}

Test(access, each_class_has_rpcs)
{
    unsigned seen = 0;
    for (size_t i = 0; i < COUNT(rows); i++)
        seen |= 1U << rows[i].class;
    cr_expect_eq(seen, ALL_RIGHTS | 1U << RPC_CLASS_SESSION);
}

/* What changes something is never a matter of reading, and what SDKs open with needs no right. */
Test(access, classes_of_some)
{
    static const struct row expected[] = {
        {"Search", RPC_CLASS_READ},
        {"Query", RPC_CLASS_READ},
        {"DescribeCollection", RPC_CLASS_READ},
        {"Insert", RPC_CLASS_WRITE},
        {"Delete", RPC_CLASS_WRITE},
        {"CreateCollection", RPC_CLASS_SCHEMA},
        {"DropDatabase", RPC_CLASS_SCHEMA},
        {"CreateCredential", RPC_CLASS_RBAC},
        {"BackupRBAC", RPC_CLASS_RBAC},
        {"SelectUser", RPC_CLASS_RBAC},
        {"ListCredUsers", RPC_CLASS_RBAC},
        {"TransferNode", RPC_CLASS_ADMIN},
        {"DumpMessages", RPC_CLASS_ADMIN},
        {"Dummy", RPC_CLASS_ADMIN},
        {"Connect", RPC_CLASS_SESSION},
        {"GetVersion", RPC_CLASS_SESSION},
    };
    for (size_t i = 0; i < COUNT(expected); i++)
        cr_expect_eq(rpc_find(span_text(expected[i].name))->class, expected[i].class, "%s",
                     expected[i].name);
}

Test(access, unknown_rpcs_need_admin_or_their_name)
{
    static const char *const methods[] = {"NewThing", "/x.Service/Search", "x.Service/Insert"};
    const char *const named[] = {"/x.Service/Search"};
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct conf_rule rule = {.allow.classes = ALL_RIGHTS};
        cr_expect(allows(&rule, methods[i], "a"), "%s", methods[i]);
        rule.allow.classes &= ~(1U << RPC_CLASS_ADMIN);
        cr_expect_not(allows(&rule, methods[i], "a"), "%s", methods[i]);
        rule.allow = (struct conf_rights){.methods = named, .method_count = 1};
        cr_expect_eq(allows(&rule, methods[i], "a"), i == 1, "%s", methods[i]);
        rule.read_only = true;
        cr_expect_not(allows(&rule, methods[i], "a"), "%s", methods[i]);
    }
}

Test(access, rpcs_by_name)
{
    const char *const named[] = {"/milvus.proto.milvus.MilvusService/Insert"};
    const struct conf_rule rule = {.allow = {.methods = named, .method_count = 1}};
    cr_expect(allows(&rule, "Insert", "a"));
    cr_expect(allows(&rule, "milvus.proto.milvus.MilvusService/Insert", "a"));
    cr_expect_not(allows(&rule, "Upsert", "a"));
    cr_expect_not(allows(&rule, "Search", "a"));
    cr_expect(allows(&rule, "Connect", "a"));
}

static const char *const databases[] = {"books", "films"};
static const struct conf_rule of_two = {
    .number = 4, .databases = databases, .database_count = 2, .allow.classes = ALL_RIGHTS};

Test(access, databases_that_are_granted)
{
    const struct conf_rule of_all = {.allow.classes = ALL_RIGHTS};
    for (size_t i = 0; i < COUNT(rows); i++) {
        cr_expect(allows(&of_two, rows[i].name, "books"), "%s", rows[i].name);
        cr_expect(allows(&of_two, rows[i].name, "films"), "%s", rows[i].name);
        cr_expect_not(allows(&of_two, rows[i].name, "book"), "%s", rows[i].name);
        cr_expect_not(allows(&of_two, rows[i].name, "*"), "%s", rows[i].name);
        cr_expect(allows(&of_all, rows[i].name, "anything"), "%s", rows[i].name);
    }
}

/* Which database it is for cannot be seen. */
Test(access, unknown_rpcs_need_all_databases)
{
    const struct conf_rule of_all = {.allow.classes = ALL_RIGHTS};
    cr_expect_not(allows(&of_two, "NewThing", "books"));
    cr_expect(allows(&of_all, "NewThing", "books"));
}

/* A second database in the message: "books" again, too, as it would be the upstream's name. */
Test(access, requests_that_reach_further)
{
    static const struct {
        const char *method;
        const char *message;
        bool allowed;
    } cases[] = {
        {"RenameCollection",
         "\x12\x05"
         "books\x22\x01"
         "b",
         true},
        {"RenameCollection",
         "\x12\x05"
         "books\x2a\x05"
         "films",
         false},
        {"RenameCollection",
         "\x2a\x05"
         "films\x2a",
         false}, /* malformed behind it */
        {"RenameCollection",
         "\x12\x05"
         "books\x2a",
         false},
        {"RestoreSnapshot",
         "\x32\x01"
         "x",
         false},
        {"RestoreSnapshot",
         "\x2a\x01"
         "x",
         true},
        {"FlushAll",
         "\x12\x05"
         "books",
         true},
        {"FlushAll",
         "\x1a\x03\x0a\x01"
         "x\x1a\x02\x0a",
         false},
        {"GetFlushAllState",
         "\x22\x03\x0a\x01"
         "x",
         false},
        {"Search",
         "\x2a\x01"
         "x",
         true},
    };
    const struct conf_rule of_all = {.allow.classes = ALL_RIGHTS};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char why[ACCESS_WHY_MAX];
        const struct access_question question = {.rpc = rpc_find(span_text(cases[i].method)),
                                                 .path = cases[i].method,
                                                 .database = span_text("books"),
                                                 .message = span_text(cases[i].message)};
        cr_expect_eq(access_allows(&of_two, &question, why), cases[i].allowed, "%zu", i);
        cr_expect(access_allows(&of_all, &question, why), "%zu", i);
    }
}

Test(access, no_rule_allows_everything)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        cr_expect(allows(NULL, rows[i].name, "a"), "%s", rows[i].name);
    cr_expect(allows(NULL, "NewThing", "a"));
}

Test(access, says_why_not)
{
    char why[ACCESS_WHY_MAX];
    struct conf_rule rule = of_two;
    struct access_question question = {
        .rpc = rpc_find(span_text("Insert")), .path = "/S/Insert", .database = span_text("x")};
    cr_expect_not(access_allows(&rule, &question, why));
    cr_expect_str_eq(why, "Insert is not allowed: rule 4 of \"access\" does not grant this "
                          "database");
    rule.allow.classes = 1U << RPC_CLASS_READ;
    cr_expect_not(access_allows(&rule, &question, why));
    cr_expect_str_eq(why, "Insert is not allowed: it needs \"write\", which rule 4 of \"access\" "
                          "does not grant");
    rule.read_only = true;
    cr_expect_not(access_allows(&rule, &question, why));
    cr_expect_str_eq(why, "Insert is not allowed: it does not only read, and rule 4 of "
                          "\"access\" is read_only");
}

/* ---- the database of who names none ---- */

Test(access, database_by_default)
{
    struct conf_rule rule = {0};
    cr_expect_str_eq(access_database(NULL, &local), "default");
    cr_expect_str_eq(access_database(&rule, &local), "default");
    cr_expect_str_eq(access_database(&of_two, &local), "books");
    rule.database = "films";
    cr_expect_str_eq(access_database(&rule, &local), "films");
    const char *const granted[] = {"a", "default"};
    rule = (struct conf_rule){.databases = granted, .database_count = 2};
    cr_expect_str_eq(access_database(&rule, &local), "default");
}
