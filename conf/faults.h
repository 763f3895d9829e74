/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of a configuration as they are found, kept in the file's order. A fault never shows the
 * value of a key that may hold a secret: callers name keys, files and what would be right.
 */
#ifndef CONF_FAULTS_H
#define CONF_FAULTS_H

#include "conf/conf.h"

/* More than these are not kept: one more then says so. */
#define FAULTS_MAX 1000

/* Where something stands: in a file, or in an argument of the command line. */
struct mark {
    unsigned line;        /* from 1; 0: not in a file */
    unsigned column;      /* from 1, in characters */
    const char *argument; /* "--upstream", or NULL; must outlive the call it is given to */
};

/* Adds a fault. Control characters in it are shown as '?'. */
void faults_add(struct conf_faults *faults, struct mark at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a fault of a value: the text follows the key's name, or the argument's in its place. */
void faults_about(struct conf_faults *faults, struct mark at, const char *key, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));

#endif
