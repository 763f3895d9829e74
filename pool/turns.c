/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/turns.h"

#include <stdlib.h>
#include <uthash.h>

/* A connection is of one asker at a time: who shows another token is another. */
struct key {
    uint64_t asker;
    const void *connection;
};

struct turns_connection {
    UT_hash_handle hh;
    TAILQ_ENTRY(turns_connection) link; /* of its asker's */
    struct turns_asker *asker;
    struct key key;
    struct request_list requests;
};

struct turns_asker {
    UT_hash_handle hh;
    TAILQ_ENTRY(turns_asker) link;
    uint64_t number;
    TAILQ_HEAD(, turns_connection) order;
};

void turns_init(struct turns *turns)
{
    *turns = (struct turns){0};
    TAILQ_INIT(&turns->order);
}

bool turns_is_empty(const struct turns *turns)
{
    return TAILQ_EMPTY(&turns->order);
}

static struct turns_asker *asker_of(struct turns *turns, uint64_t number)
{
    struct turns_asker *asker;
    HASH_FIND(hh, turns->askers, &number, sizeof(number), asker);
    if (asker)
        return asker;
    asker = calloc(1, sizeof(*asker));
    if (!asker)
        abort();
    asker->number = number;
    TAILQ_INIT(&asker->order);
    TAILQ_INSERT_TAIL(&turns->order, asker, link);
    HASH_ADD(hh, turns->askers, number, sizeof(asker->number), asker);
    return asker;
}

static struct turns_connection *connection_of(struct turns *turns, const struct request *request)
{
    struct key key = {request->asker, request->connection};
    struct turns_connection *connection;
    HASH_FIND(hh, turns->connections, &key, sizeof(key), connection);
    if (connection)
        return connection;
    connection = calloc(1, sizeof(*connection));
    if (!connection)
        abort();
    connection->asker = asker_of(turns, request->asker);
    connection->key = key;
    TAILQ_INIT(&connection->requests);
    TAILQ_INSERT_TAIL(&connection->asker->order, connection, link);
    HASH_ADD(hh, turns->connections, key, sizeof(connection->key), connection);
    return connection;
}

void turns_add(struct turns *turns, struct request *request)
{
    request->turn = connection_of(turns, request);
    TAILQ_INSERT_TAIL(&request->turn->requests, request, link);
}

static void free_empty(struct turns *turns, struct turns_connection *connection)
{
    struct turns_asker *asker = connection->asker;
    if (!TAILQ_EMPTY(&connection->requests))
        return;
    HASH_DELETE(hh, turns->connections, connection);
    TAILQ_REMOVE(&asker->order, connection, link);
    free(connection);
    if (!TAILQ_EMPTY(&asker->order))
        return;
    HASH_DELETE(hh, turns->askers, asker);
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
