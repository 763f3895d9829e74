/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process may do, and what others may do to it. Secrets are in its memory, so nobody but
 * root may read that: no core dumps (setrlimit(2)), no tracing (PR_SET_DUMPABLE, prctl(2)). System
 * calls are systemd's to filter (systemd/milvus-bouncer.service.in).
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include "conf/conf.h"

/* Before a secret is read and before there are threads: closes the memory to others, and gives up
 * what only programs that are executed could give back. */
void process_close(void);

/* Whether process_become() has something to do. */
bool process_must_become(const struct conf *conf);

/* Whether the process is `user:` of the configuration, or can become it. */
bool process_can_become(const struct conf *conf);

/* Becomes that user, with its groups, for good. False: errno says why it is not. */
bool process_become(const struct conf *conf) __attribute__((warn_unused_result));

/* Says which files the process, being who it is now, cannot read again. file: the configuration,
 * NULL: there is none. */
void process_warn(const struct conf *conf, const char *file, struct logger *logger);

#endif
