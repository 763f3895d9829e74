/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "proto/code.h"

/* grpc/doc/statuscodes.md */
Test(code, has_the_names_of_grpc)
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
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_str_eq(code_name(i), names[i]);
    cr_expect_str_eq(code_name(17), "CODE_?");
    cr_expect_str_eq(code_name(~0u), "CODE_?");
}

/* The numbers of the contract's table. */
Test(code, has_the_phases_of_the_plain_protocol)
{
    static const char *const names[] = {"none", "admission", "queue", "connect", "upstream"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_str_eq(phase_name(i), names[i]);
    cr_expect_str_eq(phase_name(5), "?");
}
