/* SPDX-License-Identifier: Apache-2.0 */
/* `milvus-bouncer check`: whether a configuration can be served. */
#ifndef DAEMON_COMMAND_CHECK_H
#define DAEMON_COMMAND_CHECK_H

/* argv[0] is "check". Writes each fault of the file to stderr, "FILE:LINE:COLUMN: TEXT", those of
 * the credentials' own files among them; or "FILE: ok" to stdout. With --connect each database's
 * upstream is tried too. The exit code: 0, 1 with faults, 2 usage. */
int command_check(int argc, char **argv);

#endif
