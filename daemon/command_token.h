/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_COMMAND_TOKEN_H
#define DAEMON_COMMAND_TOKEN_H

/* `milvus-bouncer token`: makes a line of tokens_file. Returns the exit code. */
int command_token(int argc, char **argv);

#endif
