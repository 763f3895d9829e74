/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request is: its method, its database and collection as the message names them, by when it
 * must end. Of a stream no message is read, it has none yet. A compressed message is unpacked to be
 * read, and goes on as the bytes that came unless it has to be changed or the cache answers it.
 */
#ifndef POOL_ADMISSION_H
#define POOL_ADMISSION_H

#include "pool/request.h"

struct admission {
    uint32_t max_message;   /* bytes, of an unpacked message; set by the caller */
    struct span in_message; /* the database as the message names it; empty: it does not */
    struct blob *packed;    /* the message as it came, while the request has it unpacked */
    struct span packed_body;
    enum encoding encoding;
};

/* Sets rpc, path, named and collection. False: it has failed the request. */
bool admission_read(struct admission *admission, struct request *request);

/* With the pool known: sets upstream_name, tail and deadline, and what of the message is sent. */
void admission_settle(struct admission *admission, struct request *request);

/* Frees what is left; the request may be gone. */
void admission_end(struct admission *admission);

/* Frees what admission made for the request. */
void admission_release(struct request *request);

#endif
