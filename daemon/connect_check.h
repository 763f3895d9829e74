/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONNECT_CHECK_H
#define DAEMON_CONNECT_CHECK_H

#include "conf/conf.h"

/* Connects to each database's upstream with its credentials and with those of the rules that
 * reach it, through the same pools as serve, and prints a line for each: what the upstream is to
 * stdout, or what is wrong to stderr. 0 when all of them answered well, else -1. */
int connect_check(const struct conf *conf);

#endif
