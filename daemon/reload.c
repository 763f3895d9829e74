/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/reload.h"

#include "conf/compare.h"

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

void reload(const char *file, const struct conf *running, struct router *router,
            struct logger *logger)
{
    if (!file) {
        log_warning(logger, "reload: there is no file to read, all stands on the command line");
        return;
    }
    struct conf *read;
    struct conf_faults faults;
    if (conf_load(file, &read, &faults) == 0) {
        conf_compare(running, read, differs, logger);
        router_reload(router, read);
        conf_free(read);
        log_info(logger, "reload: %s has been read", file);
    } else {
        log_faults(&faults, file, logger);
    }
    conf_faults_free(&faults);
}
