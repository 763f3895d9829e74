/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "conf/conf.h"

/* Exit codes of `serve`; 2, usage, is the command line's. */
enum daemon_exit { DAEMON_DRAINED = 0, DAEMON_MISCONFIGURED = 1, DAEMON_NOT_BOUND = 3 };

/* Serves until SIGTERM or SIGINT, then drains: requests under way are answered. A second signal
 * ends the process at once, by that signal. SIGHUP reloads `file`, NULL: there is none. */
enum daemon_exit daemon_run(const struct conf *conf, const char *file);

#endif
