/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transports that a configuration names, each made when the first one asks for it. Those that
 * bring much with them are modules, which are loaded then: shared objects on the program's RPATH,
 * see pool/CMakeLists.txt. They stay until the process ends.
 */
#ifndef POOL_TRANSPORTS_H
#define POOL_TRANSPORTS_H

#include <event2/event.h>

#include "pool/upstream.h"

struct transports {
    struct event_base *loop;
    struct transport *made[CONF_TRANSPORT_COUNT];
};

/* NULL: *ret_error says why there is none, to be freed. */
struct transport *transports_get(struct transports *transports, enum conf_transport which,
                                 char **ret_error);

/* After all their connections are closed. */
void transports_close(struct transports *transports);

#endif
