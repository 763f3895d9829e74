/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/cache.h"

#include <stdlib.h>
#include <uthash.h>

#include "pool/clock.h"
#include "pool/session.h"

#define NAME_MAX_BYTES 255 /* of a collection, as Milvus limits it; longer ones are not kept */
#define REPLY_MAX      (256u << 10) /* bytes of an answer that is kept */
#define DOUBT_TIME     30000        /* ms after a change that nobody saw the end of */
#define SESSIONS_MAX   1024         /* answers of Connect and GetVersion, one a pool and database */
#define KEY_MAX        (2 * sizeof(void *) + REQUEST_DATABASE_MAX + 1 + NAME_MAX_BYTES)

LIST_HEAD(waiters, request);

/* One question: its answer, those who wait for it, or both. An entry with neither is freed. */
struct cache_entry {
    UT_hash_handle hh;
    TAILQ_ENTRY(cache_entry) recency;
    struct cache *cache;
    struct pool *pool;
    const struct rpc *rpc;
    struct span database;   /* the upstream's name, within key */
    struct span collection; /* as asked, within key */
    struct blob *reply;     /* NULL: none is kept */
    int64_t expires;        /* on clock_now()'s clock */
    struct span real_name;  /* of a description: within reply */
    uint64_t collection_id;
    struct request *fetch; /* the question on its way, or NULL */
    bool stale;            /* cleared while it is on its way */
    struct waiters now;    /* for the one on its way */
    struct waiters next;   /* for the one after it */
    size_t key_length;
    uint8_t key[];
};

struct cache {
    struct event_base *loop;
    int64_t ttl;
    uint32_t limits[2]; /* answers kept: of descriptions, of sessions */
    uint32_t kept[2];
    struct cache_entry *entries;
    TAILQ_HEAD(, cache_entry) recency; /* least recently used first */
    struct blob *connect_message;
    int64_t doubt_until; /* descriptions that come before are not kept */
};

struct key {
    size_t length;
    uint8_t bytes[KEY_MAX];
};

static bool is_session(const struct rpc *rpc)
{
    return rpc->cache == RPC_CACHE_KEEP_SESSION;
}

static void key_add(struct key *key, const void *bytes, size_t length)
{
    if (length > 0)
        memcpy(key->bytes + key->length, bytes, length);
    key->length += length;
}

static void key_make(struct key *key, const struct request *request)
{
    key->length = 0;
    key_add(key, &request->pool, sizeof(request->pool));
    key_add(key, &request->rpc, sizeof(request->rpc));
    key_add(key, request->upstream_name.at, request->upstream_name.length);
    key_add(key, "", 1);
    if (!is_session(request->rpc))
        key_add(key, request->collection.at, request->collection.length);
}

struct cache *cache_new(struct event_base *loop, int64_t ttl, uint32_t max_entries)
{
    struct cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        abort();
    cache->loop = loop;
    cache->ttl = ttl;
    cache->limits[false] = ttl > 0 ? max_entries : 0;
    cache->limits[true] = SESSIONS_MAX;
    TAILQ_INIT(&cache->recency);
    cache->connect_message = session_connect_message();
    return cache;
}

static void entry_forget(struct cache_entry *entry)
{
    entry->cache->kept[is_session(entry->rpc)] -= entry->reply != NULL;
    blob_unref(entry->reply);
    entry->reply = NULL;
}

static void entry_free(struct cache_entry *entry)
{
    struct cache *cache = entry->cache;
    HASH_DELETE(hh, cache->entries, entry);
    TAILQ_REMOVE(&cache->recency, entry, recency);
    entry_forget(entry);
    free(entry);
}

static void entry_free_unless_used(struct cache_entry *entry)
{
    if (!entry->reply && !entry->fetch)
        entry_free(entry);
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    struct cache_entry *entry;
    struct cache_entry *following;
    HASH_ITER (hh, cache->entries, entry, following)
        entry_free(entry);
    blob_unref(cache->connect_message);
    free(cache);
}

static struct cache_entry *entry_find(struct cache *cache, const struct key *key)
{
    struct cache_entry *entry;
    HASH_FIND(hh, cache->entries, key->bytes, key->length, entry);
    return entry;
}

static struct cache_entry *entry_new(struct cache *cache, const struct key *key,
                                     const struct request *request)
{
    struct cache_entry *entry = calloc(1, sizeof(*entry) + key->length);
    if (!entry)
        abort();
    entry->cache = cache;
    entry->pool = request->pool;
    entry->rpc = request->rpc;
    entry->key_length = key->length;
    memcpy(entry->key, key->bytes, key->length);
    const uint8_t *names = entry->key + sizeof(entry->pool) + sizeof(entry->rpc);
    entry->database = span_of(names, request->upstream_name.length);
    names += request->upstream_name.length + 1;
    entry->collection = span_of(names, (size_t)(entry->key + key->length - names));
    LIST_INIT(&entry->now);
    LIST_INIT(&entry->next);
    HASH_ADD_KEYPTR(hh, cache->entries, entry->key, entry->key_length, entry);
    TAILQ_INSERT_TAIL(&cache->recency, entry, recency);
    return entry;
}

static void touch(struct cache_entry *entry)
{
    struct cache *cache = entry->cache;
    TAILQ_REMOVE(&cache->recency, entry, recency);
    TAILQ_INSERT_TAIL(&cache->recency, entry, recency);
}

/* Drops the answers of one kind that were used longest ago, down to their limit. */
static void evict(struct cache *cache, bool session)
{
    struct cache_entry *entry = TAILQ_FIRST(&cache->recency);
    while (entry && cache->kept[session] > cache->limits[session]) {
        struct cache_entry *following = TAILQ_NEXT(entry, recency);
        if (entry->reply && is_session(entry->rpc) == session) {
            entry_forget(entry);
            entry_free_unless_used(entry);
        }
        entry = following;
    }
}

/* Field numbers: milvus.proto, DescribeCollectionResponse (schema 2, collectionID 3),
 * CollectionSchema (name 1). */
static void read_description(struct cache_entry *entry)
{
    struct span message = blob_span(entry->reply);
    struct wire_field field;
    entry->collection_id = 0;
    while (wire_next(&message, &field) == WIRE_FIELD) {
        if (field.number == 3 && field.type == WIRE_VARINT)
            entry->collection_id = field.value;
    }
    if (!wire_find_bytes(blob_span(entry->reply), (struct wire_path){.outer = 2, .number = 1},
                         &entry->real_name))
        entry->real_name = span_of(NULL, 0);
}

static bool worth_keeping(const struct cache_entry *entry, const struct outcome *outcome)
{
    const struct cache *cache = entry->cache;
    struct wire_status status;
    if (outcome->code != CODE_OK || entry->stale || outcome->reply->size > REPLY_MAX)
        return false;
    if (cache->limits[is_session(entry->rpc)] == 0)
        return false;
    if (!is_session(entry->rpc) && clock_now() < cache->doubt_until)
        return false;
    return rpc_read_status(entry->rpc, blob_span(outcome->reply), &status) && status.code == 0 &&
           status.legacy == 0;
}

static void keep(struct cache_entry *entry, const struct outcome *outcome)
{
    entry_forget(entry);
    entry->reply = blob_ref(outcome->reply);
    entry->cache->kept[is_session(entry->rpc)]++;
    entry->expires = is_session(entry->rpc) ? INT64_MAX : clock_now() + entry->cache->ttl;
    if (!is_session(entry->rpc))
        read_description(entry);
    touch(entry);
    evict(entry->cache, is_session(entry->rpc));
}

/* Whether the question is with the upstream: only then may the answer be older than a doubt that
 * arises now. */
static bool is_sent(const struct cache_entry *entry)
{
    return entry->fetch && entry->fetch->state == REQUEST_WIRE;
}

static void fetch_ended(struct request *fetch, const struct outcome *outcome);

static struct request *fetch_new(struct cache_entry *entry, const struct request *asker)
{
    struct request *fetch = calloc(1, sizeof(*fetch));
    if (!fetch)
        abort();
    const char *name = pool_database(entry->pool)->name;
    fetch->rpc = entry->rpc;
    fetch->path = asker->path; /* the table's */
    fetch->named = strcmp(name, "*") == 0 ? entry->database : span_text(name);
    fetch->upstream_name = entry->database;
    fetch->pool = entry->pool;
    fetch->ended = fetch_ended;
    fetch->context = entry;
    if (is_session(entry->rpc)) {
        bool connect = strcmp(entry->rpc->name, "Connect") == 0;
        fetch->payload = connect ? blob_ref(entry->cache->connect_message) : NULL;
        fetch->body = blob_span(fetch->payload);
        return fetch;
    }
    fetch->payload = blob_ref(asker->payload);
    fetch->body = asker->body;
    fetch->tail = blob_ref(asker->tail);
    return fetch;
}

static void fetch_free(struct request *fetch)
{
    blob_unref(fetch->payload);
    blob_unref(fetch->tail);
    free(fetch);
}

static void move_all(struct waiters *from, struct waiters *to)
{
    struct request *waiter;
    while ((waiter = LIST_FIRST(from))) {
        LIST_REMOVE(waiter, waiting);
        LIST_INSERT_HEAD(to, waiter, waiting);
    }
}

/* Asks upstream for those who wait for the next question; lives as long as the most patient of
 * them. It may fail at once, and the entry be gone. */
static void fetch_start(struct cache_entry *entry)
{
    struct request *waiter = LIST_FIRST(&entry->next);
    struct request *fetch = fetch_new(entry, waiter);
    LIST_FOREACH (waiter, &entry->next, waiting) {
        if (waiter->deadline > fetch->deadline)
            fetch->deadline = waiter->deadline;
    }
    move_all(&entry->next, &entry->now);
    entry->stale = false;
    entry->fetch = fetch;
    pool_submit(entry->pool, fetch);
}

/* Asks again for those who wait for the next question, or lets the entry go. Either may free it. */
static void fetch_next(struct cache_entry *entry)
{
    if (LIST_EMPTY(&entry->next))
        entry_free_unless_used(entry);
    else
        fetch_start(entry);
}

/* When the question's time was up, whoever has more than it had asks again. The upstream may see it
 * pass before this clock does. */
static void split_patient(struct cache_entry *entry, const struct request *fetch)
{
    struct request *waiter;
    struct request *following;
    for (waiter = LIST_FIRST(&entry->now); waiter; waiter = following) {
        following = LIST_NEXT(waiter, waiting);
        if (waiter->deadline <= fetch->deadline)
            continue;
        LIST_REMOVE(waiter, waiting);
        LIST_INSERT_HEAD(&entry->next, waiter, waiting);
    }
}

/* The entry's own affairs come first: who is told may come back with another question, or clear. */
static void fetch_ended(struct request *fetch, const struct outcome *outcome)
{
    struct cache_entry *entry = fetch->context;
    struct waiters told = LIST_HEAD_INITIALIZER(told);
    struct request *waiter;
    if (outcome->code == CODE_DEADLINE_EXCEEDED)
        split_patient(entry, fetch);
    if (worth_keeping(entry, outcome))
        keep(entry, outcome);
    move_all(&entry->now, &told);
    LIST_FOREACH (waiter, &told, waiting)
        waiter->entry = NULL;
    entry->fetch = NULL;
    fetch_next(entry);
    while ((waiter = LIST_FIRST(&told))) {
        LIST_REMOVE(waiter, waiting);
        request_end(waiter, outcome);
    }
    fetch_free(fetch);
}

bool cache_takes(const struct request *request)
{
    const struct rpc *rpc = request->rpc;
    if (!rpc || rpc->cache == RPC_CACHE_NONE || request->stream)
        return false;
    if (is_session(rpc))
        return !pool_is_clients(request->pool);
    if (rpc->cache != RPC_CACHE_KEEP_SCHEMA)
        return false;
    if (request->collection.length == 0 || request->collection.length > NAME_MAX_BYTES)
        return false;
    if (request->encoding != ENCODING_IDENTITY)
        return false;
    /* By id, or at a time: DescribeCollectionRequest has base 1, db_name 2 and collection_name 3
     * for a name alone. */
    struct span message = request->body;
    struct wire_field field;
    while (wire_next(&message, &field) == WIRE_FIELD) {
        if (field.number > 3)
            return false;
    }
    return true;
}

static void waiter_fired(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct request *request = argument;
    enum phase phase = cache_phase(request);
    cache_cancel(request);
    request_fail(request, CODE_DEADLINE_EXCEEDED, phase, "the request's deadline has passed");
}

static void wait_for(struct cache_entry *entry, struct request *request, bool repeated)
{
    bool doubted = entry->stale || repeated;
    bool join = entry->fetch && !(doubted && is_sent(entry));
    request->state = REQUEST_WAITING;
    request->entry = entry;
    LIST_INSERT_HEAD(join ? &entry->now : &entry->next, request, waiting);
    request_timer(request, entry->cache->loop, request->deadline, waiter_fired);
    if (!entry->fetch)
        fetch_start(entry);
}

static void answer(struct cache_entry *entry, struct request *request)
{
    touch(entry);
    struct outcome outcome = {.code = CODE_OK, .reply = blob_ref(entry->reply)};
    request_end(request, &outcome);
    blob_unref(outcome.reply);
}

void cache_ask(struct cache *cache, struct request *request)
{
    struct key key;
    key_make(&key, request);
    bool seen =
        request->seen && seen_before(request->seen, span_hash(span_of(key.bytes, key.length)));
    bool repeated = !is_session(request->rpc) && (seen || request->doubts);
    struct cache_entry *entry = entry_find(cache, &key);
    if (entry && entry->reply && !repeated && clock_now() < entry->expires) {
        answer(entry, request);
        return;
    }
    if (!entry)
        entry = entry_new(cache, &key, request);
    wait_for(entry, request, repeated);
}

void cache_cancel(struct request *request)
{
    struct cache_entry *entry = request->entry;
    request_timer_stop(request);
    LIST_REMOVE(request, waiting);
    request->state = REQUEST_IDLE;
    request->entry = NULL;
    if (!entry || !entry->fetch || !LIST_EMPTY(&entry->now))
        return;
    pool_cancel(entry->pool, entry->fetch);
    fetch_free(entry->fetch);
    entry->fetch = NULL;
    fetch_next(entry);
}

enum phase cache_phase(const struct request *request)
{
    const struct cache_entry *entry = request->entry;
    return entry && entry->fetch ? pool_phase(entry->pool, entry->fetch) : PHASE_UPSTREAM;
}

static void entry_clear(struct cache_entry *entry)
{
    entry_forget(entry);
    entry->stale = is_sent(entry);
    entry_free_unless_used(entry);
}

static bool describes(const struct cache_entry *entry, const struct pool *pool,
                      struct span database)
{
    return !is_session(entry->rpc) &&
           pool_database(entry->pool)->upstream == pool_database(pool)->upstream &&
           span_equal(entry->database, database);
}

static bool has_name(const struct cache_entry *entry, struct span name)
{
    return span_equal(entry->collection, name) ||
           (entry->reply && span_equal(entry->real_name, name));
}

/* The collection that the name stands for, as far as it is remembered; 0: it is not. */
static uint64_t id_of(struct cache *cache, const struct pool *pool, struct span database,
                      struct span name)
{
    struct cache_entry *entry;
    struct cache_entry *following;
    HASH_ITER (hh, cache->entries, entry, following) {
        if (describes(entry, pool, database) && entry->reply && has_name(entry, name))
            return entry->collection_id;
    }
    return 0;
}

/* Walks all entries: an index by id would have to be kept right for every answer. */
static void clear(struct cache *cache, const struct pool *pool, struct span database,
                  struct span collection, bool unknown_too)
{
    uint64_t id = id_of(cache, pool, database, collection);
    struct cache_entry *entry;
    struct cache_entry *following;
    HASH_ITER (hh, cache->entries, entry, following) {
        if (!describes(entry, pool, database))
            continue;
        bool same = entry->reply && id != 0 && entry->collection_id == id;
        if (collection.length == 0 || same || has_name(entry, collection))
            entry_clear(entry);
        else if (unknown_too && is_sent(entry))
            entry->stale = true;
    }
}

void cache_clear_collection(struct cache *cache, const struct pool *pool, struct span database,
                            struct span collection)
{
    clear(cache, pool, database, collection, true);
}

void cache_clear_name(struct cache *cache, const struct pool *pool, struct span database,
                      struct span collection)
{
    clear(cache, pool, database, collection, false);
}

void cache_doubt(struct cache *cache)
{
    cache->doubt_until = clock_now() + DOUBT_TIME;
}

void cache_clear_all(struct cache *cache)
{
    struct cache_entry *entry;
    struct cache_entry *following;
    HASH_ITER (hh, cache->entries, entry, following) {
        if (!is_session(entry->rpc))
            entry_clear(entry);
    }
}

void cache_forget_pool(struct cache *cache, const struct pool *pool)
{
    struct cache_entry *entry;
    struct cache_entry *following;
    HASH_ITER (hh, cache->entries, entry, following) {
        if (entry->pool == pool)
            entry_clear(entry);
    }
}

void cache_clear_session(struct cache *cache, const struct pool *pool)
{
    struct cache_entry *entry;
    struct cache_entry *following;
    HASH_ITER (hh, cache->entries, entry, following) {
        if (is_session(entry->rpc) && entry->pool == pool)
            entry_clear(entry);
    }
}
