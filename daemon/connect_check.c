/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/connect_check.h"

#include <errno.h>
#include <stdlib.h>

#include "pool/router.h"

struct check {
    struct event_base *loop;
    struct router *router;
    size_t pending;
    bool failed;
};

/* A question to one database. */
struct question {
    struct request request;
    struct check *check;
    const struct conf_database *database;
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

static void print_fault(struct question *question, struct span message)
{
    question->check->failed = true;
    fprintf(stderr, "database %s: upstream %s (%s): %.*s\n", question->database->name,
            question->database->upstream->name, question->database->upstream->uri,
            SPAN_ARGS(message));
}

/* GetVersionResponse: the version is field 2. */
static void print_version(const struct question *question, const struct outcome *outcome)
{
    struct span version = span_of(NULL, 0);
    if (wire_find_bytes(blob_span(outcome->reply), (struct wire_path){.number = 2}, &version))
        printf("database %s: upstream %s (%s): Milvus %.*s\n", question->database->name,
               question->database->upstream->name, question->database->upstream->uri,
               SPAN_ARGS(version));
}

static void answered(struct request *request, const struct outcome *outcome);

static void ask(struct check *check, const struct conf_database *database, const char *method)
{
    struct question *question = calloc(1, sizeof(*question));
    if (!question)
        abort();
    question->check = check;
    question->database = database;
    question->request.method = span_text(method);
    question->request.answer = answered;
    check->pending++;
    router_submit_to(check->router, database, &question->request);
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
    if (outcome->code != CODE_OK)
        print_fault(question, outcome->message);
    else if (!told)
        print_fault(question, span_text("its reply is not Milvus's"));
    else if (status.code != 0 || status.legacy != 0)
        print_fault(question, status.reason);
    else if (span_is(request->method, "Connect"))
        ask(check, question->database, "GetVersion");
    else
        print_version(question, outcome);
    free(question);
    if (--check->pending == 0)
        event_base_loopbreak(check->loop);
}

static void ask_all(struct check *check, const struct conf *conf)
{
    check->pending = 1; /* until all have been asked */
    for (size_t i = 0; i < conf->database_count; i++)
        ask(check, &conf->databases[i], "Connect");
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
