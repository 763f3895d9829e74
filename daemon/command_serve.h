/* SPDX-License-Identifier: Apache-2.0 */
/* `milvus-bouncer serve`: the daemon, in the foreground. */
#ifndef DAEMON_COMMAND_SERVE_H
#define DAEMON_COMMAND_SERVE_H

/* argv[0] is "serve". The exit code: 0 after a drain, 1 a fault in the configuration, 2 usage, 3 an
 * address could not be bound. */
int command_serve(int argc, char **argv);

#endif
