/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same bytes as all that comes in a gRPC call: messages of a stream, in pieces and at once; a
 * timeout; a message in percent-encoding; something compressed; a health request; metadata. What is
 * written is read back as it was. The first byte says how large the pieces are, the second how much
 * may be unpacked.
 */
#include <stdlib.h>
#include <zlib.h>

#include "proto/encoding.h"
#include "proto/grpc_reader.h"
#include "proto/grpc_text.h"
#include "proto/health.h"
#include "proto/metadata.h"

#define PREFIX      2
#define MESSAGE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static struct span rest(struct span bytes, size_t from)
{
    return span_of(bytes.at + from, bytes.length - from);
}

/* How far a reader came. */
struct progress {
    struct grpc_reader reader;
    struct span input;
    size_t whole; /* bytes of the input that have come out as messages */
    unsigned messages;
    bool broken; /* or a message was too large */
};

/* Has to be what the input says, prefix and all. */
static void take_message(struct progress *progress, struct blob *message)
{
    uint8_t prefix[GRPC_PREFIX_SIZE];
    struct span input = rest(progress->input, progress->whole);
    check(message && message->size == grpc_reader_size(&progress->reader));
    check(!grpc_reader_busy(&progress->reader));
    grpc_prefix_write(prefix, grpc_reader_compressed(&progress->reader), message->size);
    check(input.length >= sizeof(prefix) + message->size);
    check(span_equal(span_cut(input, sizeof(prefix)), span_of(prefix, sizeof(prefix))));
    check(span_equal(span_cut(rest(input, sizeof(prefix)), message->size), blob_span(message)));
    progress->whole += sizeof(prefix) + message->size;
    progress->messages++;
    blob_unref(message);
}

static void take_piece(struct progress *progress, struct span bytes)
{
    for (;;) {
        struct blob *message = NULL;
        switch (grpc_reader_take(&progress->reader, &bytes, &message)) {
        case GRPC_READ_MORE:
            check(bytes.length == 0);
            return;
        case GRPC_READ_SIZED:
            progress->broken = grpc_reader_size(&progress->reader) > MESSAGE_MAX;
            if (progress->broken)
                return;
            check(grpc_reader_start(&progress->reader, SIZE_MAX));
            break;
        case GRPC_READ_WHOLE:
            take_message(progress, message);
            break;
        case GRPC_READ_BROKEN:
            progress->broken = true;
            return;
        }
    }
}

static struct progress read_messages(struct span input, size_t piece)
{
    struct progress progress = {.input = input};
    for (size_t at = 0; at < input.length && !progress.broken; at += piece)
        take_piece(&progress, span_cut(rest(input, at), piece));
    if (!progress.broken)
        check(grpc_reader_busy(&progress.reader) == (progress.whole < input.length));
    grpc_reader_clear(&progress.reader);
    return progress;
}

static void split(struct span input, size_t piece)
{
    struct progress whole = read_messages(input, input.length);
    struct progress parts = read_messages(input, piece);
    check(whole.messages == parts.messages && whole.whole == parts.whole);
    check(whole.broken == parts.broken);
}

static void write_timeout(int64_t timeout)
{
    char text[GRPC_TIMEOUT_MAX];
    int64_t again = -1;
    grpc_timeout_write(timeout, text);
    check(memchr(text, '\0', sizeof(text)) && strlen(text) <= 9);
    check(grpc_timeout_read(span_text(text), &again));
    if (timeout <= 99999999)
        check(again == (timeout > 0 ? timeout : 0));
    check(again >= timeout || strcmp(text, "99999999H") == 0);
}

static void read_timeout(struct span input)
{
    int64_t timeout = -1;
    bool read = grpc_timeout_read(input, &timeout);
    check(read == (timeout >= 0));
    if (read)
        write_timeout(timeout);
    if (input.length >= sizeof(timeout)) {
        memcpy(&timeout, input.at, sizeof(timeout));
        write_timeout(timeout);
    }
}

static void escape(struct span input)
{
    struct blob *encoded = blob_new(3 * input.length);
    struct blob *decoded = blob_new(input.length);
    struct blob *in_place = blob_copy(input);
    check(encoded && decoded && in_place);
    size_t length = grpc_percent_encode(input, (char *)encoded->data);
    for (size_t i = 0; i < length; i++)
        check(encoded->data[i] >= 0x20 && encoded->data[i] <= 0x7e);
    struct span text = span_of(encoded->data, length);
    check(grpc_percent_decode(text, (char *)decoded->data) == input.length);
    check(span_equal(blob_span(decoded), input));

    length = grpc_percent_decode(input, (char *)decoded->data);
    check(length <= input.length);
    check(grpc_percent_decode(blob_span(in_place), (char *)in_place->data) == length);
    check(length == 0 || memcmp(decoded->data, in_place->data, length) == 0);
    blob_unref(encoded);
    blob_unref(decoded);
    blob_unref(in_place);
}

/* What could be unpacked needs just as much room as it is long. */
static void unpack(struct span input, enum encoding encoding, size_t max)
{
    struct blob *message = NULL;
    struct blob *again = NULL;
    enum inflate_result result = encoding_inflate(input, encoding, max, &message);
    check((result == INFLATE_WHOLE) == (message != NULL));
    if (!message)
        return;
    check(message->size <= max);
    check(encoding_inflate(input, encoding, message->size, &again) == INFLATE_WHOLE);
    check(span_equal(blob_span(message), blob_span(again)));
    blob_unref(again);
    if (message->size > 0)
        check(encoding_inflate(input, encoding, message->size - 1, &again) == INFLATE_TOO_LARGE);
    blob_unref(message);
}

static void pack(struct span input)
{
    uLongf size = compressBound(input.length);
    struct blob *packed = blob_new(size);
    struct blob *message = NULL;
    check(packed && compress2(packed->data, &size, input.at, input.length, 1) == Z_OK);
    struct span bytes = span_of(packed->data, size);
    check(encoding_inflate(bytes, ENCODING_DEFLATE, input.length, &message) == INFLATE_WHOLE);
    check(span_equal(blob_span(message), input));
    blob_unref(message);
    blob_unref(packed);
}

static void ask_for_health(struct span input)
{
    struct span service;
    if (health_read_request(input, &service) && service.length > 0)
        check(service.at >= input.at && service.length <= input.length &&
              (size_t)(service.at - input.at) <= input.length - service.length);
}

/* The bytes are items: each begins with the lengths of its name and value. */
static bool cut_item(struct span *input, struct metadata_item *ret_item)
{
    if (input->length < 2)
        return false;
    size_t name = input->at[0] % 16;
    size_t value = input->at[1];
    *input = rest(*input, 2);
    ret_item->name = span_cut(*input, name);
    *input = rest(*input, ret_item->name.length);
    ret_item->value = span_cut(*input, value);
    *input = rest(*input, ret_item->value.length);
    return true;
}

static void keep_items(struct span input)
{
    struct metadata metadata = {0};
    struct metadata_item given;
    struct metadata_item item;
    for (struct span left = input; cut_item(&left, &given);)
        metadata_add(&metadata, given.name, given.value);
    uint32_t count = 0;
    size_t at = 0;
    for (struct span left = input; cut_item(&left, &given); count++) {
        check(metadata_next(&metadata, &at, &item));
        check(span_equal(item.name, given.name) && span_equal(item.value, given.value));
        if (count == 0 && !memchr(item.name.at, '\0', item.name.length)) {
            char name[16] = "";
            memcpy(name, item.name.at, item.name.length);
            check(span_equal(metadata_find(&metadata, name), given.value));
        }
    }
    check(!metadata_next(&metadata, &at, &item) && count == metadata.count);
    metadata_clear(&metadata);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= PREFIX)
        return 0;
    struct span input = span_of(data + PREFIX, size - PREFIX);
    split(input, data[0] % 64u + 1);
    read_timeout(input);
    escape(input);
    unpack(input, ENCODING_GZIP, data[1] * 64u);
    unpack(input, ENCODING_DEFLATE, data[1] * 64u);
    if (data[1] % 16 == 0) /* it is slow */
        pack(input);
    ask_for_health(input);
    keep_items(input);
    return 0;
}
