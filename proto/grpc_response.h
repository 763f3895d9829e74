/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head and the trailers of a gRPC response (grpc/doc/PROTOCOL-HTTP2.md, Responses), read field
 * by field, and what they and the way the stream ended make of the call.
 */
#ifndef PROTO_GRPC_RESPONSE_H
#define PROTO_GRPC_RESPONSE_H

#include "proto/blob.h"
#include "proto/code.h"
#include "proto/encoding.h"
#include "proto/metadata.h"

/* A struct of zeros is one of which nothing has come. */
struct grpc_response {
    bool bare;       /* set by the caller: metadata are left out */
    bool begun;      /* the head is whole */
    bool grpc;       /* its content-type is gRPC's */
    bool has_status; /* grpc-status has come */
    bool bad_encoding;
    enum encoding encoding; /* of compressed messages */
    unsigned http;          /* :status, of this section; 0: none */
    enum code code;
    struct blob *message;     /* grpc-message, decoded; or NULL */
    struct metadata headers;  /* for the client */
    struct metadata trailers; /* the same */
};

/* A field of a section. */
void grpc_response_take(struct grpc_response *response, struct span name, struct span value);

/* The section's end. Interim sections (1xx) are forgotten. */
void grpc_response_section(struct grpc_response *response);

/* How the call ended. */
struct grpc_end {
    enum code code;
    bool from_peer; /* the server said so by grpc-status; else the rest follows from the stream */
    struct span message; /* valid as long as the response */
};

/* error: what the stream was closed with (RFC 9113 section 7). */
struct grpc_end grpc_response_end(const struct grpc_response *response, uint32_t error);

/* Frees what it holds. */
void grpc_response_clear(struct grpc_response *response);

#endif
