/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/transports.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "pool/h2_transport.h"

#define GRPC_MODULE "milvus-bouncer-grpc.so" /* pool/CMakeLists.txt */
#define GRPC_MAKER  "grpc_transport_new"     /* in it */

typedef struct transport *transport_maker(struct event_base *loop);

/* A module that is loaded again is the same one. C core has threads of its own, so it is never
 * unloaded. */
static transport_maker *load_grpc(char **ret_error)
{
    void *module = dlopen(GRPC_MODULE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *maker = module ? dlsym(module, GRPC_MAKER) : NULL;
    if (!maker && asprintf(ret_error, "transport: grpc needs " GRPC_MODULE ": %s", dlerror()) < 0)
        *ret_error = NULL;
    return (transport_maker *)maker;
}

static struct transport *make(enum conf_transport which, struct event_base *loop, char **ret_error)
{
    transport_maker *maker = which == CONF_TRANSPORT_GRPC ? load_grpc(ret_error) : h2_transport_new;
    if (!maker)
        return NULL;
    struct transport *transport = maker(loop);
    if (!transport)
        *ret_error = strdup("the transport cannot be started");
    return transport;
}

struct transport *transports_get(struct transports *transports, enum conf_transport which,
                                 char **ret_error)
{
    struct transport **made = &transports->made[which];
    if (!*made)
        *made = make(which, transports->loop, ret_error);
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
