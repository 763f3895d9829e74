/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/turns.h"

#include <stdlib.h>
#include <uthash.h>

struct turns_connection {
    UT_hash_handle hh; /* by id */
    TAILQ_ENTRY(turns_connection) link;
    struct turns_asker *asker;
    const void *id;
    struct request_list requests;
};

struct turns_asker {
    UT_hash_handle hh; /* by id */
    TAILQ_ENTRY(turns_asker) link;
    uint64_t id;
    struct turns_connection *by_id;
    TAILQ_HEAD(, turns_connection) order;
};

void turns_init(struct turns *turns)
{
    turns->by_id = NULL;
    TAILQ_INIT(&turns->order);
}

bool turns_is_empty(const struct turns *turns)
{
    return TAILQ_EMPTY(&turns->order);
}

static struct turns_asker *asker_of(struct turns *turns, uint64_t id)
{
    struct turns_asker *asker;
    HASH_FIND(hh, turns->by_id, &id, sizeof(id), asker);
    if (asker)
        return asker;
    asker = calloc(1, sizeof(*asker));
    if (!asker)
        abort();
    asker->id = id;
    TAILQ_INIT(&asker->order);
    TAILQ_INSERT_TAIL(&turns->order, asker, link);
    HASH_ADD(hh, turns->by_id, id, sizeof(asker->id), asker);
    return asker;
}

static struct turns_connection *connection_of(struct turns_asker *asker, const void *id)
{
    struct turns_connection *connection;
    HASH_FIND(hh, asker->by_id, &id, sizeof(id), connection);
    if (connection)
        return connection;
    connection = calloc(1, sizeof(*connection));
    if (!connection)
        abort();
    connection->asker = asker;
    connection->id = id;
    TAILQ_INIT(&connection->requests);
    TAILQ_INSERT_TAIL(&asker->order, connection, link);
    HASH_ADD(hh, asker->by_id, id, sizeof(connection->id), connection);
    return connection;
}

void turns_add(struct turns *turns, struct request *request)
{
    struct turns_asker *asker = asker_of(turns, request->asker);
    request->turn = connection_of(asker, request->connection);
    TAILQ_INSERT_TAIL(&request->turn->requests, request, link);
}

static void free_empty(struct turns *turns, struct turns_connection *connection)
{
    struct turns_asker *asker = connection->asker;
    if (!TAILQ_EMPTY(&connection->requests))
        return;
    HASH_DELETE(hh, asker->by_id, connection);
    TAILQ_REMOVE(&asker->order, connection, link);
    free(connection);
    if (!TAILQ_EMPTY(&asker->order))
        return;
    HASH_DELETE(hh, turns->by_id, asker);
    TAILQ_REMOVE(&turns->order, asker, link);
    free(asker);
}

void turns_remove(struct turns *turns, struct request *request)
{
    struct turns_connection *connection = request->turn;
    TAILQ_REMOVE(&connection->requests, request, link);
    request->turn = NULL;
    free_empty(turns, connection);
}

struct request *turns_first(const struct turns *turns)
{
    const struct turns_asker *asker = TAILQ_FIRST(&turns->order);
    return asker ? TAILQ_FIRST(&TAILQ_FIRST(&asker->order)->requests) : NULL;
}

void turns_take(struct turns *turns, struct request *first)
{
    struct turns_connection *connection = first->turn;
    struct turns_asker *asker = connection->asker;
    TAILQ_REMOVE(&asker->order, connection, link);
    TAILQ_INSERT_TAIL(&asker->order, connection, link);
    TAILQ_REMOVE(&turns->order, asker, link);
    TAILQ_INSERT_TAIL(&turns->order, asker, link);
    turns_remove(turns, first);
}

struct request *turns_find(const struct turns *turns, bool (*is)(struct request *request))
{
    const struct turns_asker *asker;
    const struct turns_connection *connection;
    struct request *request;
    TAILQ_FOREACH (asker, &turns->order, link) {
        TAILQ_FOREACH (connection, &asker->order, link) {
            TAILQ_FOREACH (request, &connection->requests, link) {
                if (is(request))
                    return request;
            }
        }
    }
    return NULL;
}
