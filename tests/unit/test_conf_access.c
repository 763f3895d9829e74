/* SPDX-License-Identifier: Apache-2.0 */
/* `access`: what right rules become, and what wrong ones are told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "proto/rpc.h"

#define BEFORE                                                                                     \
    "upstreams: {main: {uri: 'https://h'}}\n"                                                      \
    "databases: {books: {upstream: main}, films: {upstream: main}}\n"                              \
    "listen: [{address: 'unix:/a'}, {address: '127.0.0.1:1'}]\n"
#define RULES(rules) BEFORE "access:\n" rules
#define TOKENS       "tokens_file: /dev/null\n"
#define ANY          "- {match: {any: true}, allow: read}\n"

/* Its faults as they are printed, "" without any; ret_conf: NULL, or for the caller. */
static char *parse(const char *text, struct conf **ret_conf)
{
    struct conf *conf = NULL;
    struct conf_faults faults;
    char *printed;
    size_t length;
    (void)!conf_parse("c", text, strlen(text), &conf, &faults);
    FILE *stream = open_memstream(&printed, &length);
    conf_faults_print(&faults, "c", stream);
    fclose(stream);
    conf_faults_free(&faults);
    if (ret_conf)
        *ret_conf = conf;
    else
        conf_free(conf);
    return printed;
}

static struct conf *parsed(const char *text)
{
    struct conf *conf;
    char *faults = parse(text, &conf);
    cr_assert_str_eq(faults, "");
    free(faults);
    return conf;
}

static void expect_faults(const char *text, const char *faults)
{
    char *got = parse(text, NULL);
    cr_expect_str_eq(got, faults, "\n%s\n--- gives\n%s--- not\n%s", text, got, faults);
    free(got);
}

/* Of a rule that is {match: MATCH, allow: read}. */
static void expect_of_match(const char *match, const char *faults)
{
    char *text;
    cr_assert_geq(asprintf(&text, RULES("- {match: %s, allow: read}\n"), match), 0);
    expect_faults(text, faults);
    free(text);
}

/* Of a rule that is {match: {any: true}, REST}. */
static void expect_of_rule(const char *rest, const char *faults)
{
    char *text;
    cr_assert_geq(asprintf(&text, RULES("- {match: {any: true}, %s}\n"), rest), 0);
    expect_faults(text, faults);
    free(text);
}

/* ---- right ---- */

Test(conf_access, no_rules_and_no_tokens_unless_given)
{
    struct conf *conf = parsed(BEFORE);
    cr_expect_eq(conf->rule_count, 0);
    cr_expect_null(conf->tokens_file);
    conf_free(conf);
}

Test(conf_access, reads_a_whole_rule)
{
    struct conf *conf = parsed(
        RULES("- match: {user: root, group: root, listener: 'unix:/a', token: laptop}\n"
              "  databases: [books, films]\n"
              "  allow: [read, schema, Insert, /x.Service/New]\n"
              "  read_only: true\n"
              "  database: films\n"
              "  limits: {max_clients: 1, max_in_flight: 2, requests_per_second: 3, burst: 4}\n"
              "  max_timeout: 5s\n") TOKENS);
    cr_assert_eq(conf->rule_count, 1);
    const struct conf_rule *rule = conf->rules;
    cr_expect_eq(rule->number, 1);
    cr_expect_eq(rule->match.uid, 0);
    cr_expect_eq(rule->match.gid, 0);
    cr_expect_eq(rule->match.listener, &conf->listeners[0]);
    cr_expect_str_eq(rule->match.token, "laptop");
    cr_expect_eq(rule->token_place.line, 5);
    cr_expect_eq(rule->token_place.column, 64);
    cr_assert_eq(rule->database_count, 2);
    cr_expect_str_eq(rule->databases[1], "films");
    cr_expect_eq(rule->allow.classes, 1U << RPC_CLASS_READ | 1U << RPC_CLASS_SCHEMA);
    cr_assert_eq(rule->allow.method_count, 2);
    cr_expect_str_eq(rule->allow.methods[0], "/milvus.proto.milvus.MilvusService/Insert");
    cr_expect_str_eq(rule->allow.methods[1], "/x.Service/New");
    cr_expect(rule->read_only);
    cr_expect_str_eq(rule->database, "films");
    cr_expect_eq(rule->limits.max_clients, 1);
    cr_expect_eq(rule->limits.max_in_flight, 2);
    cr_expect_eq(rule->limits.requests_per_second, 3);
    cr_expect_eq(rule->limits.burst, 4);
    cr_expect_eq(rule->max_timeout, 5000);
    cr_expect_str_eq(conf->tokens_file, "/dev/null");
    cr_expect_eq(conf->tokens_place.line, 12);
    conf_free(conf);
}

Test(conf_access, fills_in_what_a_rule_does_not_say)
{
    struct conf *conf = parsed(RULES("- {match: {uid: 5}, allow: read}\n"
                                     "- {match: {gid: 4294967294}, read_only: true, "
                                     "limits: {requests_per_second: 7}}\n"
                                     "- {match: {any: true}, allow: [rbac], databases: '*'}\n"));
    cr_assert_eq(conf->rule_count, 3);
    const struct conf_rule *rules = conf->rules;
    cr_expect_eq(rules[0].match.uid, 5);
    cr_expect_eq(rules[0].match.gid, (gid_t)-1);
    cr_expect_null(rules[0].match.listener);
    cr_expect_null(rules[0].match.token);
    cr_expect_eq(rules[0].allow.classes, 1U << RPC_CLASS_READ);
    cr_expect_eq(rules[0].database_count, 0);
    cr_expect_null(rules[0].database);
    cr_expect_not(rules[0].read_only);
    cr_expect_eq(rules[0].limits.max_clients, 0);
    cr_expect_eq(rules[0].limits.burst, 0);
    cr_expect_eq(rules[0].max_timeout, 0);
    cr_expect_eq(rules[1].match.uid, (uid_t)-1);
    cr_expect_eq(rules[1].match.gid, 4294967294);
    cr_expect_eq(rules[1].allow.classes, 1U << RPC_CLASS_READ);
    cr_expect_eq(rules[1].limits.burst, 7);
    cr_expect(rules[2].match.any);
    cr_expect_eq(rules[2].number, 3);
    cr_expect_eq(rules[2].database_count, 0);
    conf_free(conf);
}

Test(conf_access, any_name_may_be_granted_where_any_is_served)
{
    conf_free(parsed("upstreams: {main: {uri: 'https://h'}}\ndatabases: {'*': {upstream: main}}\n"
                     "access: [{match: {any: true}, databases: [x, '*', y], allow: read}]\n"));
}

Test(conf_access, reads_credentials)
{
    struct conf *conf =
        parsed("upstreams: {main: {uri: 'https://h', token_file: /dev/null}}\n"
               "databases: {books: {upstream: main}, "
               "films: {upstream: main, credentials: client, max_credentials: 3}, "
               "news: {upstream: main, credentials: client}}\n"
               "access:\n"
               "- {match: {uid: 1}, allow: read, user: ro, password_file: /dev/null}\n"
               "- {match: {uid: 2}, allow: read, token_file: /dev/zero}\n" ANY);
    const struct conf_database *databases = conf->databases;
    const struct conf_rule *rules = conf->rules;
    cr_expect_eq(databases[0].credentials, CONF_CREDENTIALS_DAEMON);
    cr_expect(conf_credential_is_given(&databases[0].credential));
    cr_expect_eq(databases[1].credentials, CONF_CREDENTIALS_CLIENT);
    cr_expect_not(conf_credential_is_given(&databases[1].credential), "not the upstream's");
    cr_expect_eq(databases[1].max_credentials, 3);
    cr_expect_eq(databases[2].max_credentials, 64);
    cr_expect_str_eq(rules[0].credential.user, "ro");
    cr_expect_str_eq(rules[0].credential.password_file, "/dev/null");
    cr_expect_eq(rules[0].credential.line, 4);
    cr_expect_eq(rules[0].credential.column, 59);
    cr_expect_str_eq(rules[1].credential.token_file, "/dev/zero");
    cr_expect_not(conf_credential_is_given(&rules[2].credential));
    conf_free(conf);
}

Test(conf_access, the_default_listener_has_a_name)
{
    struct conf *conf = parsed(
        "upstreams: {main: {uri: 'https://h'}}\ndatabases: {'*': {upstream: main}}\n"
        "access: [{match: {listener: 'unix:/run/milvus-bouncer/milvus.sock'}, allow: read}]\n");
    cr_expect_eq(conf->rules->match.listener, conf->listeners);
    conf_free(conf);
}

/* ---- wrong ---- */

Test(conf_access, faults_of_the_list)
{
    expect_faults(BEFORE "access: []\n",
                  "c:4:9: \"access\" is empty; write a list, each entry opened by \"- \"\n");
    expect_faults(BEFORE "access: {}\n", "c:4:9: \"access\" has the wrong type; write a list, each "
                                         "entry opened by \"- \"\n");
    expect_faults(RULES("- web\n"), "c:5:3: \"access\" takes keys: match, databases, allow, "
                                    "read_only, database, limits, max_timeout, token_file, "
                                    "user, password_file\n");
    expect_faults(
        RULES("- {mach: {any: true}, allow: read}\n"),
        "c:5:3: \"access\" lacks the key \"match\"; write whom it is for, such as match: {user: "
        "www-data}, or match: {any: true}\n"
        "c:5:4: unknown key \"mach\"; did you mean \"match\"?\n");
    expect_faults(RULES(ANY ANY), "c:6:11: \"match\" is never reached: a rule before it matches "
                                  "everybody; move it up\n");
}

Test(conf_access, faults_of_match)
{
    expect_of_match("web", "c:5:11: \"match\" takes keys: user, uid, group, gid, listener, token, "
                           "any\n");
    expect_of_match("{}", "c:5:11: \"match\" says nobody; write whom it is for, such as {user: "
                          "www-data}, or {any: true}\n");
    expect_of_match("{any: false}", "c:5:11: \"match\" says nobody; write whom it is for, such as "
                                    "{user: www-data}, or {any: true}\n");
    expect_of_match("{any: yes}", "c:5:17: \"any\" takes true or false\n");
    expect_of_match("{any: 'true'}", "c:5:17: \"any\" takes true or false, without quotes\n");
    expect_of_match("{any: true, uid: 1}",
                    "c:5:17: \"any\" matches everybody; keep it alone, or remove it\n");
    expect_of_match("{user: no-such}", "c:5:18: \"user\": no user \"no-such\" on this machine; see "
                                       "`getent passwd`\n");
    expect_of_match("{group: no-such}", "c:5:19: \"group\": no group \"no-such\" on this machine; "
                                        "see `getent group`\n");
    expect_of_match("{user: root, uid: 0}",
                    "c:5:29: \"uid\" says what \"user\" says; keep one of the two\n");
    expect_of_match("{gid: 0, group: root}",
                    "c:5:17: \"gid\" says what \"group\" says; keep one of the two\n");
    expect_of_match("{uid: 4294967295, gid: -1}",
                    "c:5:17: \"uid\" takes a whole number from 0 to 4294967294\n"
                    "c:5:34: \"gid\" takes a whole number from 0 to 4294967294\n");
    expect_of_match("{usr: root}", "c:5:12: unknown key \"usr\"; did you mean \"user\"?\n");
}

Test(conf_access, faults_of_listeners)
{
    expect_of_match("{listener: 'unix:/b'}",
                    "c:5:22: \"listener\": no listener \"unix:/b\"; did you mean \"unix:/a\"?\n");
    expect_of_match("{listener: sock}", "c:5:22: \"listener\": no listener \"sock\"; there is "
                                        "unix:/a, 127.0.0.1:1\n");
    expect_of_match("{listener: '127.0.0.1:1', user: root}",
                    "c:5:43: \"user\" is known on unix: addresses alone, not at \"listener\"; "
                    "remove one of the two\n");
    expect_of_match("{listener: '127.0.0.1:1', gid: 3}",
                    "c:5:42: \"gid\" is known on unix: addresses alone, not at \"listener\"; "
                    "remove one of the two\n");
}

Test(conf_access, faults_of_tokens)
{
    expect_of_match("{token: laptop}", "c:5:1: \"access\" has rules with \"token\", which need "
                                       "\"tokens_file\", the file that holds them\n");
    expect_faults(RULES(ANY) TOKENS,
                  "c:6:14: \"tokens_file\" needs a rule under \"access\" that has a \"token\"; "
                  "without one nobody is asked\n");
    expect_faults(RULES("- {match: {token: x}, allow: read}\n") "tokens_file: nope\n",
                  "c:6:14: \"tokens_file\": cannot read nope: No such file or directory; it takes "
                  "the name of a file that the daemon can read\n");
}

Test(conf_access, faults_of_databases)
{
    expect_of_rule("allow: read, databases: [books, bokks, sand]",
                   "c:5:56: \"databases\": no database \"bokks\"; did you mean \"books\"?\n"
                   "c:5:63: \"databases\": no database \"sand\"; there is books, films\n");
    expect_of_rule("allow: read, databases: film",
                   "c:5:48: \"databases\": no database \"film\"; did you mean \"films\"?\n");
    expect_of_rule("allow: read, databases: []",
                   "c:5:48: \"databases\" is an empty list; write one "
                   "value or several\n");
    expect_of_rule("allow: read, databases: [books, books]",
                   "c:5:56: \"databases\": books stands twice; remove one of the two\n");
    expect_of_rule("allow: read, databases: books, database: films",
                   "c:5:65: \"database\": \"films\" is none of the rule's \"databases\"\n");
    expect_of_rule("allow: read, database: sand",
                   "c:5:47: \"database\": no database \"sand\"; there is books, films\n");
}

Test(conf_access, faults_of_rights)
{
    expect_of_rule("databases: books",
                   "c:5:3: \"access\" has a rule that grants nothing: it lacks the key \"allow\"; "
                   "write such as allow: [read, write]\n");
    expect_of_rule(
        "allow: [raed, Serch, zzzzzz]",
        "c:5:32: \"allow\": \"raed\" is no right; did you mean \"read\"?\n"
        "c:5:38: \"allow\": \"Serch\" is no right; did you mean \"Search\"?\n"
        "c:5:45: \"allow\": \"zzzzzz\" is no right; there is read, write, schema, rbac, "
        "admin, and the names of Milvus's RPCs, as Search; of one that is newer than this "
        "program write SERVICE/METHOD\n");
    expect_of_rule(
        "allow: [read, Search, read, milvus.proto.milvus.MilvusService/Search]",
        "c:5:46: \"allow\": read stands twice; remove one of the two\n"
        "c:5:52: \"allow\": milvus.proto.milvus.MilvusService/Search stands twice; remove "
        "one of the two\n");
    expect_of_rule(
        "allow: [a//b, session]",
        "c:5:32: \"allow\": \"a//b\" is no right; there is read, write, schema, rbac, "
        "admin, and the names of Milvus's RPCs, as Search; of one that is newer than this "
        "program write SERVICE/METHOD\n"
        "c:5:38: \"allow\": \"session\" is no right; there is read, write, schema, rbac, "
        "admin, and the names of Milvus's RPCs, as Search; of one that is newer than this "
        "program write SERVICE/METHOD\n");
    expect_of_rule("allow: {}", "c:5:31: \"allow\" takes one value, not a map of keys\n");
}

Test(conf_access, faults_of_credentials)
{
    expect_of_rule("allow: read, user: u",
                   "c:5:43: \"user\" needs \"password_file\", the file that holds its password\n");
    expect_of_rule("allow: read, token_file: /dev/null, user: u, password_file: /dev/null",
                   "c:5:49: \"token_file\" excludes \"user\" and \"password_file\"; keep the token "
                   "or the user\n");
    expect_of_rule("allow: read, password: hunter2",
                   "c:5:37: unknown key \"password\"; a secret stands in a file of its own, name "
                   "that by \"password_file\"\n");
    expect_of_rule("allow: read, token_file: nope",
                   "c:5:49: \"token_file\": cannot read nope: No such file or directory; it takes "
                   "the name of a file that the daemon can read\n");
}

Test(conf_access, faults_of_limits)
{
    expect_of_rule("allow: read, limits: {burst: 5}",
                   "c:5:53: \"burst\" needs \"requests_per_second\", which it may exceed\n");
    expect_of_rule("allow: read, limits: {max_clients: 0, max_in_flight: 0, "
                   "requests_per_second: 0, burst: 1048577}",
                   "c:5:59: \"max_clients\" takes a whole number from 1 to 1048576\n"
                   "c:5:77: \"max_in_flight\" takes a whole number from 1 to 1048576\n"
                   "c:5:101: \"requests_per_second\" takes a whole number from 1 to 1048576\n"
                   "c:5:111: \"burst\" takes a whole number from 1 to 1048576\n");
    expect_of_rule(
        "allow: read, max_timeout: 0",
        "c:5:50: \"max_timeout\" takes a duration from 1ms to 24h, in ms, s, m or h, such "
        "as 10s\n");
}
