/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A credential that the daemon holds for an upstream: read from its file, kept as the value of the
 * `authorization` metadata that Milvus expects (base64 of "user:password", or of an API key; no
 * scheme word before it). The secret is wiped when it is replaced and when the credential is
 * closed, and stands in no text that this module gives out.
 */
#ifndef AUTH_CREDENTIAL_H
#define AUTH_CREDENTIAL_H

#include "conf/conf.h"
#include "proto/span.h"

struct credential;

/*
 * Reads the files that `conf` names (which must outlive the credential). A line end behind the
 * secret is not part of it. Without any (all NULL) the credential is empty: no authorization is
 * sent. 0: *ret_credential is the caller's. -1: *ret_error is a text for the operator that names
 * the file and what is wrong with it, to be freed; the rest is untouched. Wrong: a file that cannot
 * be read, is empty, is longer than CREDENTIAL_MAX, or holds a NUL or a line end within the secret.
 */
int credential_open(const struct conf_credential *conf, struct credential **ret_credential,
                    char **ret_error) __attribute__((warn_unused_result));
#define CREDENTIAL_MAX 8192 /* bytes of the secret */

/* A client's own: the value of `authorization` as it came, which is copied, and perhaps empty.
 * There is nothing to read again. */
struct credential *credential_of_client(struct span authorization);
bool credential_is_clients(const struct credential *credential);

/* Reads the files again. 1: the value has changed, 0: it is what it was, -1: they cannot be read
 * now; the old value stays and *ret_error is as with credential_open(). */
int credential_refresh(struct credential *credential, char **ret_error)
    __attribute__((warn_unused_result));

/* The metadata value, valid until the next refresh; empty without a credential. */
struct span credential_authorization(const struct credential *credential);

/* "user app (password in /etc/x)", "token in /etc/y", "no credentials", "the client's own": for
 * logs and errors. */
const char *credential_label(const struct credential *credential);

/* Wipes and frees; NULL is accepted. */
void credential_close(struct credential *credential);

#endif
