/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's version and its databases, over milvus-bouncer's plain protocol:
 *     cc example.c $(pkg-config --cflags --libs mvb) -o example && ./example
 * Both requests are empty messages. A program of your own would have protobuf-c or another
 * generator pack and unpack; these two replies are simple enough to read here.
 */
#include <mvb.h>
#include <stdio.h>

/* Whether protobuf's varint at *at, before `end`, could be read; *at then stands behind it. */
static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* Prints each text in field 2: GetVersionResponse.version, ListDatabasesResponse.db_names. */
static void print_texts(const struct mvb_reply *reply)
{
    const uint8_t *at = reply->data;
    const uint8_t *end = at + reply->size;
    uint64_t tag, length;
    while (read_varint(&at, end, &tag) && (tag & 7) == 2 && read_varint(&at, end, &length) &&
           length <= (size_t)(end - at)) {
        if (tag >> 3 == 2)
            printf("  %.*s\n", (int)length, (const char *)at);
        at += length;
    }
}

static int ask(struct mvb *mvb, const char *method)
{
    struct mvb_reply reply;
    unsigned code = mvb_call(mvb, NULL, method, NULL, 0, 5000, &reply);
    if (code == MVB_OK) {
        printf("%s\n", method);
        print_texts(&reply);
    } else {
        fprintf(stderr, "%s: %s in phase %s: %s\n", method, mvb_code_name(code),
                mvb_phase_name(reply.phase), reply.message);
    }
    mvb_reply_clear(&reply);
    return code == MVB_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *address = argc > 1 ? argv[1] : "unix:/run/milvus-bouncer/milvus.sock";
    struct mvb *mvb;
    const char *error;
    if (mvb_open(&mvb, address, &error) != 0) {
        fprintf(stderr, "%s: %s\n", address, error);
        return 2;
    }
    int failed = ask(mvb, "GetVersion") | ask(mvb, "ListDatabases");
    mvb_close(mvb);
    return failed;
}
