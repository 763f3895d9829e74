/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/connect_check.h"

#include <errno.h>
#include <stdlib.h>

#include "auth/access.h"
#include "pool/router.h"

struct check {
    struct event_base *loop;
    struct router *router;
    size_t pending;
    bool failed;
};

/* A question to one database, with one credential. */
struct question {
    struct request request;
    struct check *check;
    const struct conf_database *database;
    const struct conf_rule *rule; /* whose credential it is; NULL: the database's */
};

static void print_line(struct logger *logger, enum log_level level, const char *format,
                       va_list arguments) __attribute__((format(printf, 3, 0)));

/* Errors of the pools say which credential it is; the rest is said below. */
static void print_line(struct logger *logger, enum log_level level, const char *format,
                       va_list arguments)
{
    (void)logger, (void)level;
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

/* "database books, rule 2: upstream main (http://10.0.0.1): ..." */
static void print_result(FILE *to, const struct question *question, const char *what,
                         struct span text)
{
    const struct conf_upstream *upstream = question->database->upstream;
    fprintf(to, "database %s", question->database->name);
    if (question->rule)
        fprintf(to, ", rule %u", question->rule->number);
    fprintf(to, ": upstream %s (%s): %s%.*s\n", upstream->name, upstream->uri, what,
            SPAN_ARGS(text));
}

static void print_fault(const struct question *question, struct span message)
{
    question->check->failed = true;
    print_result(stderr, question, "", message);
}

/* GetVersionResponse: the version is field 2. */
static void print_version(const struct question *question, const struct outcome *outcome)
{
    struct span version = span_of(NULL, 0);
    if (wire_find_bytes(blob_span(outcome->reply), (struct wire_path){.number = 2}, &version))
        print_result(stdout, question, "Milvus ", version);
}

static void answered(struct request *request, const struct outcome *outcome);

static void ask(struct check *check, const struct conf_database *database,
                const struct conf_rule *rule, const char *method)
{
    struct question *question = calloc(1, sizeof(*question));
    if (!question)
        abort();
    question->check = check;
    question->database = database;
    question->rule = rule;
    question->request.method = span_text(method);
    question->request.answer = answered;
    check->pending++;
    router_submit_to(check->router, database, rule, &question->request);
}

/* Where clients' own credentials go upstream, none is here to try; that it asks for one is well. */
static bool wants_clients(const struct question *question, const struct outcome *outcome)
{
    return !question->rule && question->database->credentials == CONF_CREDENTIALS_CLIENT &&
           outcome->code == CODE_UNAUTHENTICATED;
}

/* Connect says whether the credential and the database are right; only then the version is of
 * interest. */
static void answered(struct request *request, const struct outcome *outcome)
{
    struct question *question = (struct question *)request;
    struct check *check = question->check;
    struct wire_status status = {0};
    bool told = outcome->code == CODE_OK &&
                rpc_read_status(request->rpc, blob_span(outcome->reply), &status);
    if (wants_clients(question, outcome))
        print_result(stdout, question, "it wants the client's own credentials, which are not here",
                     span_of(NULL, 0));
    else if (outcome->code != CODE_OK)
        print_fault(question, outcome->message);
    else if (!told)
        print_fault(question, span_text("its reply is not Milvus's"));
    else if (status.code != 0 || status.legacy != 0)
        print_fault(question, status.reason);
    else if (span_is(request->method, "Connect"))
        ask(check, question->database, question->rule, "GetVersion");
    else
        print_version(question, outcome);
    free(question);
    if (--check->pending == 0)
        event_base_loopbreak(check->loop);
}

static void ask_database(struct check *check, const struct conf *conf,
                         const struct conf_database *database)
{
    ask(check, database, NULL, "Connect");
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct conf_rule *rule = &conf->rules[i];
        if (conf_credential_is_given(&rule->credential) && access_reaches(conf, rule, database))
            ask(check, database, rule, "Connect");
    }
}

static void ask_all(struct check *check, const struct conf *conf)
{
    check->pending = 1; /* until all have been asked */
    for (size_t i = 0; i < conf->database_count; i++)
        ask_database(check, conf, &conf->databases[i]);
    if (--check->pending > 0)
        event_base_dispatch(check->loop);
}

int connect_check(const struct conf *conf)
{
    struct logger errors = {.level = LOG_ERROR, .write = print_line};
    struct check check = {.loop = event_base_new()};
    if (!check.loop)
        abort();
    struct transports transports = {.loop = check.loop};
    char *error = NULL;
    check.router = router_new(conf, check.loop, &transports, &errors, &error);
    if (check.router)
        ask_all(&check, conf);
    else
        fprintf(stderr, "%s\n", error);
    free(error);
    router_free(check.router);
    transports_close(&transports);
    event_base_free(check.loop);
    return check.router && !check.failed ? 0 : -1;
}
