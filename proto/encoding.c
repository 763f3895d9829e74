/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/encoding.h"

#include <limits.h>

#define ZLIB_CONST /* it reads from const memory */
#include <zlib.h>

#define GROW_START  4096u /* bytes of a message allocated before more of it has come */
#define WINDOW_BITS 15    /* the largest window of RFC 1951 */
#define GZIP_ONLY   16    /* added to the window: zlib's way to ask for RFC 1952 */
#define MEMORY_USED 8     /* zlib's own choice */
#define RATIO_FREE  (1u << 20)

static const char *const names[] = {
    [ENCODING_IDENTITY] = "identity",
    [ENCODING_GZIP] = "gzip",
    [ENCODING_DEFLATE] = "deflate",
};

bool encoding_read(struct span name, enum encoding *ret_encoding)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (span_is(name, names[i])) {
            *ret_encoding = (enum encoding)i;
            return true;
        }
    }
    return false;
}

const char *encoding_name(enum encoding encoding)
{
    return names[encoding];
}

/* A message while it is unpacked. */
struct unpacking {
    z_stream stream;
    struct span left;     /* of what is compressed */
    struct blob *message; /* NULL until the first byte */
    size_t filled;        /* bytes of it */
    size_t max;
};

/* Makes room for a byte at least. There is one more than the message may have, so that the end of
 * one of just that size is seen, and the byte of one above. */
static bool make_room(struct unpacking *unpacking)
{
    size_t have = unpacking->message ? unpacking->message->size : 0;
    if (unpacking->filled < have)
        return true;
    size_t size = have ? have * 2 : GROW_START;
    if (size > unpacking->max)
        size = unpacking->max + 1;
    struct blob *grown = have ? blob_resize(unpacking->message, size) : blob_new(size);
    if (!grown)
        return false;
    unpacking->message = grown;
    return true;
}

/* zlib counts in unsigned int. */
static uInt at_most(size_t bytes)
{
    return bytes < UINT_MAX ? (uInt)bytes : UINT_MAX;
}

/* Unpacks as far as what is left and the room reach; zlib's code. */
static int step(struct unpacking *unpacking)
{
    z_stream *stream = &unpacking->stream;
    struct span *left = &unpacking->left;
    uInt given = at_most(left->length);
    uInt room = at_most(unpacking->message->size - unpacking->filled);
    stream->next_in = left->at;
    stream->avail_in = given;
    stream->next_out = unpacking->message->data + unpacking->filled;
    stream->avail_out = room;
    int code = inflate(stream, Z_NO_FLUSH);
    *left = span_of(stream->next_in, left->length - (given - stream->avail_in));
    unpacking->filled += room - stream->avail_out;
    return code;
}

/* A gzip file may have several members (RFC 1952 section 2.2), zlib's format has one. */
static enum inflate_result unpack(struct unpacking *unpacking, enum encoding encoding)
{
    for (;;) {
        if (!make_room(unpacking))
            return INFLATE_TOO_LARGE;
        int code = step(unpacking);
        if (unpacking->filled > unpacking->max || code == Z_MEM_ERROR)
            return INFLATE_TOO_LARGE;
        if (code == Z_STREAM_END && unpacking->left.length == 0)
            return INFLATE_WHOLE;
        if (code == Z_STREAM_END && encoding == ENCODING_GZIP)
            code = inflateReset(&unpacking->stream);
        if (code != Z_OK)
            return INFLATE_BROKEN;
    }
}

enum inflate_result encoding_inflate(struct span bytes, enum encoding encoding, size_t max,
                                     struct blob **ret_message)
{
    if (encoding == ENCODING_IDENTITY)
        return INFLATE_BROKEN;
    struct unpacking unpacking = {.left = bytes, .max = max};
    int window = encoding == ENCODING_GZIP ? WINDOW_BITS + GZIP_ONLY : WINDOW_BITS;
    if (inflateInit2(&unpacking.stream, window) != Z_OK)
        return INFLATE_TOO_LARGE;
    enum inflate_result result = unpack(&unpacking, encoding);
    inflateEnd(&unpacking.stream);
    struct blob *message = NULL;
    if (result == INFLATE_WHOLE)
        message = blob_resize(unpacking.message, unpacking.filled);
    if (!message) {
        blob_unref(unpacking.message);
        return result == INFLATE_WHOLE ? INFLATE_TOO_LARGE : result;
    }
    *ret_message = message;
    return INFLATE_WHOLE;
}

size_t encoding_unpacked_max(size_t packed, size_t max_message)
{
    size_t ratio = packed * ENCODING_RATIO_MAX;
    size_t max = ratio < RATIO_FREE ? RATIO_FREE : ratio;
    return max < max_message ? max : max_message;
}

struct blob *encoding_gzip(struct span bytes)
{
    z_stream stream = {.next_in = bytes.at, .avail_in = (uInt)bytes.length};
    struct blob *packed = NULL;
    if (bytes.length > UINT_MAX ||
        deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS + GZIP_ONLY, MEMORY_USED,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    size_t bound = deflateBound(&stream, bytes.length);
    if (bound <= UINT_MAX)
        packed = blob_new(bound);
    if (packed) {
        stream.next_out = packed->data;
        stream.avail_out = (uInt)bound;
        (void)deflate(&stream, Z_FINISH); /* there is room for all of it */
        packed = blob_resize(packed, bound - stream.avail_out);
    }
    deflateEnd(&stream);
    return packed;
}
