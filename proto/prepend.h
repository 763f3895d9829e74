/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing protobuf's wire format from a message's end to its front: what a message field holds is
 * written before its head, so its length is known without writing or measuring anything twice.
 */
#ifndef PROTO_PREPEND_H
#define PROTO_PREPEND_H

#include "proto/wire.h"

/* What is written stands from here to where writing began. The room before it is the caller's
 * affair: nothing is checked. */
struct prepend {
    uint8_t *at;
};

void prepend_bytes(struct prepend *to, struct span bytes);

/* A varint field, at most 15 bytes. */
void prepend_varint(struct prepend *to, uint32_t number, uint64_t value);

/* The head of a length-delimited field whose content is what was written since `end`, at most 15
 * bytes. */
void prepend_head(struct prepend *to, uint32_t number, const uint8_t *end);

#endif
