/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "auth/tokens.h"
#include "pool/router.h"

/*
 * Reads the credentials of upstreams again, then the file and takes over what can be: the uris of
 * upstreams, and the tokens (NULL: none) that stand in the file which the running configuration
 * names. What else differs from the configuration that is running, which stays the one in force, is
 * named in the log; a file with faults changes nothing, and they are logged. file: NULL, there is
 * none.
 */
void reload(const char *file, const struct conf *running, struct router *router,
            struct tokens *tokens, struct logger *logger);

#endif
