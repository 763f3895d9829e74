/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that may be given again: descriptions of collections, and what the upstream said of
 * itself when it was connected (Connect, GetVersion). docs/internals/cache.md says the rules and
 * where they come from. In short:
 *
 * - The first question for a collection on a client connection may be answered from memory, for as
 * long as ttl; asked again on the same connection it goes upstream, and what comes back is kept.
 * - Many who ask at once share one question upstream. It is never one that was sent before the
 * asker had a reason to doubt: a repeated question, or one after a clearing, waits for the next.
 * - What is cleared while it is on its way is given to those who waited for it, and not kept.
 * - Only success is kept. Answers are kept apart by pool, so by upstream and credential.
 * - Connect with a client's own credential is a login: it goes upstream as it is.
 */
#ifndef POOL_CACHE_H
#define POOL_CACHE_H

#include "pool/pool.h"
#include "pool/seen.h"

struct cache;

/* ttl: ms that a description is kept; max_entries: how many. With 0 nothing is kept, but questions
 * are still shared. */
struct cache *cache_new(struct event_base *loop, int64_t ttl, uint32_t max_entries);

/* With no request waiting; NULL is accepted. */
void cache_free(struct cache *cache);

/* Whether the request is a question that the cache answers. A message that has to be read for it
 * and is compressed is none. */
bool cache_takes(const struct request *request);

/* Takes such a request; its ended() comes later or at once. */
void cache_ask(struct cache *cache, struct request *request);

/* Drops a waiting request; ended() is not called. The question it waits for is cancelled when
 * nobody else does. */
void cache_cancel(struct request *request);

/* The phase in which a waiting request is: that of the question it waits for. */
enum phase cache_phase(const struct request *request);

/* Forgets what may be wrong of a collection, by whichever name or alias it was asked, in that
 * database of the pool's upstream. An empty name: of all the database's collections. */
void cache_clear_collection(struct cache *cache, const struct pool *pool, struct span database,
                            struct span collection);

/* The same where somebody was only found to be wrong about a name: descriptions that are on their
 * way, and may turn out to be of the same collection under an alias, are not doubted. */
void cache_clear_name(struct cache *cache, const struct pool *pool, struct span database,
                      struct span collection);

/* A change may still happen upstream, with nobody to see its end: for half a minute no description
 * is kept. */
void cache_doubt(struct cache *cache);

/* Forgets all descriptions. */
void cache_clear_all(struct cache *cache);

/* Forgets all answers of that pool. Where it has no request, nothing of it is left here. */
void cache_forget_pool(struct cache *cache, const struct pool *pool);

/* Forgets what the pool's upstream said of itself: it may be another by now. */
void cache_clear_session(struct cache *cache, const struct pool *pool);

#endif
