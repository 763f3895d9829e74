/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A credential that the daemon holds for an upstream: read from its file, kept as the value of the
 * `authorization` metadata that Milvus expects (base64 of "user:password", or of an API key; no
 * scheme word before it). Another value in the file does not replace the one in use at once: it is
 * the next one, until somebody finds that Milvus takes it. A secret is wiped when it is replaced
 * and when the credential is closed, and stands in no text that this module gives out.
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

/*
 * Reads the file again, unless it is certainly what it was, or the process may not read it any
 * more. 1: it holds a value that is neither the one in use nor the next one, and is the next one
 * now; 0: nothing new; -1: it cannot be read, or holds no secret (as while it is being written):
 * all stays and *ret_error is as with credential_open(). A file that has gone back to the value in
 * use leaves no next one.
 */
int credential_look(struct credential *credential, char **ret_error)
    __attribute__((warn_unused_result));

/* The same, whatever the file looks like. */
int credential_read(struct credential *credential, char **ret_error)
    __attribute__((warn_unused_result));

/* The metadata value in use, and the next one, valid until the next look; empty without one. */
struct span credential_authorization(const struct credential *credential);
struct span credential_next(const struct credential *credential);

/* The next one takes the place of the one in use, which is wiped. */
void credential_take_next(struct credential *credential);

/* "user app (password in /etc/x)", "token in /etc/y", "no credentials", "the client's own": for
 * logs and errors. */
const char *credential_label(const struct credential *credential);

/* Wipes and frees; NULL is accepted. */
void credential_close(struct credential *credential);

#endif
