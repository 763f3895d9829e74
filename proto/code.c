/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/code.h"

const char *code_name(unsigned code)
{
    switch (code) {
#define X(name, number)                                                                            \
    case number:                                                                                   \
        return #name;
        CODES(X)
#undef X
    default:
        return "CODE_?";
    }
}

const char *phase_name(unsigned phase)
{
    switch (phase) {
#define X(name, number, text)                                                                      \
    case number:                                                                                   \
        return text;
        PHASES(X)
#undef X
    default:
        return "?";
    }
}
