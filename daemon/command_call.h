/* SPDX-License-Identifier: Apache-2.0 */
/* `milvus-bouncer call`: one RPC over the plain protocol, JSON in and out. */
#ifndef DAEMON_COMMAND_CALL_H
#define DAEMON_COMMAND_CALL_H

/* argv[0] is "call". Prints the reply to stdout, what went wrong to stderr. The exit code: 0; 1 an
 * error from Milvus or the daemon; 2 usage, a request that is not right included. */
int command_call(int argc, char **argv);

#endif
