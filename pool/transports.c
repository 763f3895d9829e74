/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/transports.h"

#include <string.h>

#include "pool/grpc_transport.h"
#include "pool/h2_transport.h"

static struct transport *(*const makers[CONF_TRANSPORT_COUNT])(struct event_base *loop) = {
    [CONF_TRANSPORT_GRPC] = grpc_transport_new,
    [CONF_TRANSPORT_H2] = h2_transport_new,
};

struct transport *transports_get(struct transports *transports, enum conf_transport which,
                                 char **ret_error)
{
    struct transport **made = &transports->made[which];
    if (!*made)
        *made = makers[which](transports->loop);
    if (!*made)
        *ret_error = strdup("the transport cannot be started");
    return *made;
}

void transports_close(struct transports *transports)
{
    for (int i = 0; i < CONF_TRANSPORT_COUNT; i++) {
        if (transports->made[i])
            transports->made[i]->close(transports->made[i]);
        transports->made[i] = NULL;
    }
}
