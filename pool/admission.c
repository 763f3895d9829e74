/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/admission.h"

#include <stdlib.h>

#include "pool/cache.h"
#include "pool/clock.h"
#include "pool/permission.h"

static void set_path(struct request *request)
{
    if (request->rpc) {
        request->path = request->rpc->path;
        return;
    }
    request->own_path = malloc(RPC_PATH_MAX);
    if (!request->own_path)
        abort();
    rpc_method_path(request->method, request->own_path);
    request->path = request->own_path;
}

static bool read_method(struct request *request)
{
    if (request->forward) {
        request->path = request->forward->path;
        return true;
    }
    if (!rpc_method_valid(request->method)) {
        request_fail(request, CODE_INVALID_ARGUMENT, PHASE_ADMISSION,
                     "\"%.*s\" is no method: a name such as Search, or service/method",
                     SPAN_ARGS(span_cut(request->method, RPC_METHOD_MAX)));
        return false;
    }
    request->rpc = rpc_find(request->method);
    set_path(request);
    if (request->stream || !request->rpc || request->rpc->status != RPC_STATUS_STREAM)
        return true;
    request_fail(request, CODE_UNIMPLEMENTED, PHASE_ADMISSION,
                 "%s is a stream: it cannot be called as one request with one reply",
                 request->rpc->name);
    return false;
}

/* Whether the message may hold a name. */
static bool has_names(const struct request *request)
{
    const struct rpc *rpc = request->rpc;
    return rpc && !request->stream && (rpc->database.number != 0 || rpc->collection.number != 0);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t unpacked_max(const struct admission *admission, const struct request *request)
{
    size_t max = encoding_unpacked_max(request->body.length, admission->max_message);
    return request->unpack_max > 0 ? least(max, request->unpack_max) : max;
}

/* Puts the unpacked message in the place of a compressed one that has to be read. */
static bool unpack(struct admission *admission, struct request *request)
{
    if (request->encoding == ENCODING_IDENTITY || !has_names(request))
        return true;
    struct blob *message;
    size_t max = unpacked_max(admission, request);
    switch (encoding_inflate(request->body, request->encoding, max, &message)) {
    case INFLATE_WHOLE:
        admission->packed = request->payload;
        admission->packed_body = request->body;
        admission->encoding = request->encoding;
        request->payload = message;
        request->body = blob_span(message);
        request->encoding = ENCODING_IDENTITY;
        return true;
    case INFLATE_BROKEN:
        request_fail(request, CODE_INVALID_ARGUMENT, PHASE_ADMISSION,
                     "the message of %s, %zu bytes, is not valid %s", request->rpc->name,
                     request->body.length, encoding_name(request->encoding));
        return false;
    default:
        request_fail(request, CODE_RESOURCE_EXHAUSTED, PHASE_ADMISSION,
                     "a message of %zu bytes of %s unpacks to more than %zu: the least of "
                     "max_message, what others leave of limits.http2.max_buffered, and %d times "
                     "its size",
                     request->body.length, encoding_name(request->encoding), max,
                     ENCODING_RATIO_MAX);
        return false;
    }
}

/* False: it is no protobuf. */
static bool find_names(struct admission *admission, struct request *request)
{
    const struct rpc *rpc = request->rpc;
    if (rpc->database.number != 0 &&
        !wire_find_bytes(request->body, rpc->database, &admission->in_message))
        return false;
    return rpc->collection.number == 0 ||
           wire_find_bytes(request->body, rpc->collection, &request->collection);
}

/* HTTP/2 metadata carries printable ASCII; Milvus allows less. */
static bool name_valid(struct span name)
{
    if (name.length == 0 || name.length > REQUEST_DATABASE_MAX)
        return false;
    for (size_t i = 0; i < name.length; i++) {
        if (name.at[i] <= ' ' || name.at[i] > '~')
            return false;
    }
    return true;
}

static bool read_names(struct admission *admission, struct request *request)
{
    if (has_names(request) && !find_names(admission, request)) {
        request_fail(request, CODE_INVALID_ARGUMENT, PHASE_ADMISSION,
                     "the request of %s is not a protobuf message", request->rpc->name);
        return false;
    }
    if (admission->in_message.length > 0)
        request->named = admission->in_message;
    if (name_valid(request->named))
        return true;
    request_fail(request, CODE_INVALID_ARGUMENT, PHASE_ADMISSION,
                 "no name for a database: 1 to %d printable ASCII characters",
                 REQUEST_DATABASE_MAX);
    return false;
}

bool admission_read(struct admission *admission, struct request *request)
{
    request->named = request->database;
    return read_method(request) && unpack(admission, request) && read_names(admission, request);
}

static struct span upstream_name(const struct request *request)
{
    const char *name = pool_database(request->pool)->upstream_name;
    return name ? span_text(name) : request->named;
}

/* What makes the message name the upstream's database, where the client's name for it is another.
 */
static struct blob *rename_tail(const struct request *request)
{
    struct blob *tail = blob_new(wire_override_bound(request->upstream_name.length));
    if (!tail)
        abort();
    tail->size = wire_override(tail->data, request->rpc->database, request->upstream_name);
    return tail;
}

/* The message goes as it came; of the unpacked one the names are kept. */
static void repack(struct admission *admission, struct request *request)
{
    struct blob *names = blob_new(request->named.length + request->collection.length);
    if (!names)
        abort();
    names->size = 0;
    request->named = blob_append(names, request->named);
    request->collection = blob_append(names, request->collection);
    request->upstream_name = upstream_name(request);
    request->names = names;
    struct blob *unpacked = request->payload;
    request->payload = admission->packed;
    request->body = admission->packed_body;
    request->encoding = admission->encoding;
    admission->packed = unpacked;
}

/* The timeout that applies where the client names none: the method's, else the database's. A stream
 * is meant to last. */
static int64_t timeout_of(const struct conf_database *database, const struct request *request)
{
    for (size_t i = 0; request->rpc && i < database->method_timeout_count; i++) {
        if (strcmp(database->method_timeouts[i].method, request->rpc->name) == 0)
            return database->method_timeouts[i].timeout;
    }
    return request->stream ? database->max_timeout : database->default_timeout;
}

static void set_deadline(const struct conf_database *database, struct request *request)
{
    int64_t timeout = request->timeout ? request->timeout : timeout_of(database, request);
    int64_t max = permission_max_timeout(request, database->max_timeout);
    if (timeout > max)
        timeout = max;
    request->deadline = (request->arrived ? request->arrived : clock_now()) + timeout;
}

void admission_settle(struct admission *admission, struct request *request)
{
    request->upstream_name = upstream_name(request);
    bool named = admission->in_message.length > 0;
    if (named && !span_equal(admission->in_message, request->upstream_name))
        request->tail = rename_tail(request);
    if (admission->packed && !request->tail && !cache_takes(request))
        repack(admission, request);
    set_deadline(pool_database(request->pool), request);
}

void admission_end(struct admission *admission)
{
    blob_unref(admission->packed);
}

void admission_release(struct request *request)
{
    permission_release(request);
    blob_unref(request->tail);
    blob_unref(request->names);
    free(request->own_path);
    request->own_path = NULL;
    request->tail = NULL;
    request->names = NULL;
}
