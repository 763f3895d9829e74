/* SPDX-License-Identifier: Apache-2.0 */
#include "mvb.h"

const char *mvb_code_name(unsigned code)
{
    static const char *const names[] = {
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    };
    return code < sizeof(names) / sizeof(*names) ? names[code] : "CODE_?";
}

const char *mvb_phase_name(unsigned phase)
{
    static const char *const names[] = {"none", "admission", "queue", "connect", "upstream"};
    return phase < sizeof(names) / sizeof(*names) ? names[phase] : "?";
}
