/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/permission.h"

#include "auth/rules.h"
#include "pool/clock.h"

static bool is_allowed(const struct request *request, char why[ACCESS_WHY_MAX])
{
    const struct access_question question = {
        .rpc = request->rpc,
        .forwarded = request->forward,
        .class = request->forward ? request->forward->class : RPC_CLASS_ADMIN,
        .path = request->path,
        .database = request->named,
        .message = request->body,
    };
    return access_allows(request->rule->conf, &question, why);
}

bool permission_take(struct request *request)
{
    char why[ACCESS_WHY_MAX];
    if (!request->rule)
        return true;
    if (!is_allowed(request, why)) {
        request_fail(request, CODE_PERMISSION_DENIED, PHASE_ADMISSION, "%s", why);
        return false;
    }
    if (!rule_begin(request->rule, clock_now(), why)) {
        request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION, "%s", why);
        return false;
    }
    request->permitted = true;
    return true;
}

int64_t permission_max_timeout(const struct request *request, int64_t of_database)
{
    int64_t max = request->rule ? request->rule->conf->max_timeout : 0;
    return max > 0 && max < of_database ? max : of_database;
}

void permission_release(struct request *request)
{
    if (request->permitted)
        rule_end(request->rule);
    request->permitted = false;
}
