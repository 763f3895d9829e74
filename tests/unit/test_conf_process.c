/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the process becomes, whom it lets in from elsewhere, and whose its secrets are. */
#include <criterion/criterion.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"

#define UPSTREAMS "upstreams: {main: {uri: 'https://h'}}\n"
#define DATABASES "databases: {'*': {upstream: main}}\n"
#define BEFORE    UPSTREAMS DATABASES
#define TOKENS    "tokens_file: /dev/null\n"

static struct conf *conf;

static void leave(void)
{
    conf_free(conf);
}

TestSuite(conf_process, .fini = leave);

static void expect_faults(const char *text, const char *expected)
{
    struct conf_faults faults;
    char *got;
    size_t length;
    conf_free(conf);
    conf = NULL;
    (void)!conf_parse("c", text, strlen(text), &conf, &faults);
    FILE *stream = open_memstream(&got, &length);
    conf_faults_print(&faults, "c", stream);
    fclose(stream);
    conf_faults_free(&faults);
    cr_expect_str_eq(got, expected, "\n%s\n--- gives\n%s--- not\n%s", text, got, expected);
    free(got);
}

/* ---- user ---- */

Test(conf_process, nobody_unless_given)
{
    expect_faults(BEFORE, "");
    cr_expect_null(conf->user.name);
}

Test(conf_process, a_user_of_this_machine)
{
    const struct passwd *daemon = getpwnam("daemon");
    cr_assert_not_null(daemon);
    uid_t uid = daemon->pw_uid;
    gid_t gid = daemon->pw_gid;
    expect_faults(BEFORE "user: daemon\n", "");
    cr_assert_str_eq(conf->user.name, "daemon");
    cr_expect_eq(conf->user.uid, uid);
    cr_expect_eq(conf->user.gid, gid);
    cr_expect_eq(conf->user.place.line, 3);
    cr_expect_eq(conf->user.place.column, 7);
}

Test(conf_process, no_user_who_is_not_there_or_may_do_everything)
{
    expect_faults(BEFORE "user: nobody-of-that-name\n",
                  "c:3:7: \"user\": no user \"nobody-of-that-name\" on this machine; see `getent "
                  "passwd`\n");
    expect_faults(BEFORE "user: root\n", "c:3:7: \"user\": root may do everything; name a user "
                                         "who may not, or remove the key\n");
    expect_faults(BEFORE "user: [daemon]\n", "c:3:7: \"user\" takes one value, not a list\n");
}

/* ---- other machines ---- */

#define LISTEN(listener) BEFORE "listen: [{address: 'unix:/a'}, {" listener "}]\n"
#define REMOTE           LISTEN("address: '0.0.0.0:1', allow_remote: true")
#define ALLOW            ", allow: read}\n"
#define NEEDS(where, address)                                                                      \
    where ": \"match\" needs a \"token\", as it lets in who connects to " address                  \
          " from another machine; or write a \"listener\" or a \"user\" that it is for\n"

Test(conf_process, other_machines_are_let_in_where_that_is_said)
{
    expect_faults(LISTEN("address: '127.1.2.3:1'"), "");
    cr_expect_not(conf->listeners[1].allow_remote);
    expect_faults(LISTEN("address: '[::1]:1', allow_remote: true"), "");
    cr_expect(conf->listeners[1].allow_remote);
    expect_faults(LISTEN("address: '[::]:1'"),
                  "c:3:42: \"address\": other machines reach [::]:1; if they are meant to, write "
                  "allow_remote: true and rules with tokens\n");
    expect_faults(LISTEN("address: '10.0.0.1:1', allow_remote: false"),
                  "c:3:42: \"address\": other machines reach 10.0.0.1:1; if they are meant to, "
                  "write allow_remote: true and rules with tokens\n");
    expect_faults(LISTEN("address: '10.0.0.1:1', allow_remote: 1"),
                  "c:3:70: \"allow_remote\" takes true or false\n");
    expect_faults(LISTEN("address: 'unix:/b', allow_remote: true"),
                  "c:3:67: \"allow_remote\" is for TCP addresses alone; remove it\n");
}

Test(conf_process, other_machines_need_rules)
{
    expect_faults(REMOTE, "c:3:69: \"allow_remote\" needs \"access\", with a rule for each token "
                          "that lets somebody in\n");
    expect_faults(REMOTE TOKENS "access:\n- {match: {token: a}" ALLOW, "");
}

Test(conf_process, other_machines_match_no_rule_without_a_token)
{
    expect_faults(REMOTE TOKENS "access:\n"
                                "- {match: {token: a}" ALLOW "- {match: {user: root}" ALLOW
                                "- {match: {uid: 7}" ALLOW "- {match: {group: root}" ALLOW
                                "- {match: {gid: 7}" ALLOW "- {match: {listener: 'unix:/a'}" ALLOW
                                "- {match: {listener: '0.0.0.0:1', token: b}" ALLOW,
                  "");
    expect_faults(REMOTE "access:\n- {match: {any: true}" ALLOW, NEEDS("c:5:11", "0.0.0.0:1"));
    expect_faults(REMOTE TOKENS "access:\n- {match: {token: a}" ALLOW
                                "- {match: {listener: '0.0.0.0:1'}" ALLOW,
                  NEEDS("c:7:11", "0.0.0.0:1"));
}

Test(conf_process, rules_with_faults_are_not_told_twice)
{
    expect_faults(REMOTE "access:\n- {match: {user: nobody-of-that-name}" ALLOW,
                  "c:5:18: \"user\": no user \"nobody-of-that-name\" on this machine; see `getent "
                  "passwd`\n");
    expect_faults(REMOTE "access:\n- {match: {listener: 'unix:/c'}" ALLOW,
                  "c:5:22: \"listener\": no listener \"unix:/c\"; did you mean \"unix:/a\"?\n");
}

Test(conf_process, the_command_line_lets_nobody_in_from_elsewhere)
{
    const char *const listen[] = {"127.0.0.1:1", "0.0.0.0:1"};
    struct conf_faults faults;
    cr_assert_eq(conf_from_arguments("http://h", NULL, true, listen, 2, &conf, &faults), -1);
    cr_assert_eq(faults.count, 1);
    cr_expect_str_eq(faults.items[0].text,
                     "--listen: other machines reach 0.0.0.0:1; that takes a configuration file, "
                     "with allow_remote: true and rules with tokens");
    conf_faults_free(&faults);
}

/* ---- secrets ---- */

static char path[] = "/tmp/mvb-secret-XXXXXX";

static void expect_mode(mode_t mode, bool taken)
{
    char *text, *fault;
    cr_assert_eq(chmod(path, mode), 0);
    cr_assert_geq(asprintf(&text, "upstreams: {main: {uri: 'https://h', token_file: '%s'}}\n%s",
                           path, DATABASES),
                  0);
    cr_assert_geq(asprintf(&fault,
                           "c:1:50: \"token_file\": %s: a secret is for its owner and group alone; "
                           "take it from others by chmod o=\n",
                           path),
                  0);
    expect_faults(text, taken ? "" : fault);
    free(text);
    free(fault);
}

Test(conf_process, secrets_are_for_owner_and_group_alone)
{
    close(mkstemp(path));
    static const mode_t taken[] = {0400, 0440, 0600, 0640, 0770};
    static const mode_t refused[] = {0444, 0604, 0602, 0601, 0644};
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
        expect_mode(taken[i], true);
    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
        expect_mode(refused[i], false);
    unlink(path);
}

Test(conf_process, certificates_are_for_everybody)
{
    expect_faults("upstreams: {main: {uri: 'https://h', tls: {ca_file: /etc/passwd}}}\n" DATABASES,
                  "");
    expect_faults("upstreams: {main: {uri: 'https://h', tls: {cert_file: /etc/passwd, key_file: "
                  "/etc/passwd}}}\n" DATABASES,
                  "c:1:78: \"key_file\": /etc/passwd: a secret is for its owner and group alone; "
                  "take it from others by chmod o=\n");
}
