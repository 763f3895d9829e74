/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "pool/router.h"

/*
 * Reads the file again and takes over what can be: the uris of upstreams. What else differs from
 * the configuration that is running, which stays the one in force, is named in the log; a file with
 * faults changes nothing, and they are logged. file: NULL, there is none.
 */
void reload(const char *file, const struct conf *running, struct router *router,
            struct logger *logger);

#endif
