/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are when nothing else is said. */
#ifndef DAEMON_PATHS_H
#define DAEMON_PATHS_H

#define PATH_CONFIGURATION "/etc/milvus-bouncer/milvus-bouncer.yaml"

#endif
