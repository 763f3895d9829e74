/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reload.h"

#include <stdlib.h>

#include "conf/compare.h"
#include "pool/clock.h"

static void log_faults(const struct conf_faults *faults, const char *file, struct logger *logger)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct conf_fault *fault = &faults->items[i];
        if (fault->line > 0)
            log_error(logger, "%s:%u:%u: %s", file, fault->line, fault->column, fault->text);
        else
            log_error(logger, "%s", fault->text);
    }
    log_error(logger, "reload: nothing has changed, because of what is wrong in %s", file);
}

static void differs(void *context, const char *name)
{
    log_warning(context, "reload: %s differs, which takes a restart", name);
}

/* A rule whose token is gone matches nobody: so a token is taken back. */
static void warn_of_lost(const struct conf *running, const struct tokens *tokens,
                         struct logger *logger)
{
    for (size_t i = 0; i < running->rule_count; i++) {
        const struct conf_rule *rule = &running->rules[i];
        if (rule->match.token && !tokens_have(tokens, rule->match.token))
            log_warning(logger,
                        "reload: rule %u of access matches nobody now: token %s is no longer in "
                        "tokens_file; remove the rule before the next start",
                        rule->number, rule->match.token);
    }
}

static void reload_tokens(const struct conf *running, struct tokens *tokens, struct logger *logger)
{
    char *error = NULL;
    if (tokens && tokens_refresh(tokens, clock_now(), &error) == 0)
        warn_of_lost(running, tokens, logger);
    else if (tokens)
        log_error(logger, "reload: the tokens stay what they were: %s", error);
    free(error);
}

void reload(const char *file, const struct conf *running, struct router *router,
            struct tokens *tokens, struct logger *logger)
{
    router_renew(router);
    if (!file) {
        log_warning(logger, "reload: there is no file to read, all stands on the command line");
        return;
    }
    struct conf *read;
    struct conf_faults faults;
    if (conf_load(file, &read, &faults) == 0) {
        conf_compare(running, read, differs, logger);
        router_reload(router, read);
        reload_tokens(running, tokens, logger);
        conf_free(read);
        log_info(logger, "reload: %s has been read", file);
    } else {
        log_faults(&faults, file, logger);
    }
    conf_faults_free(&faults);
}
