/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/credential.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/secret.h"
#include "conf/stamp.h"
#include "proto/base64.h"

struct credential {
    const struct conf_credential *conf; /* NULL: a client's own */
    struct secret authorization;
    struct secret next; /* what the file holds by now; empty: nothing else */
    struct stamp stamp; /* of the file when it was read last */
    char *label;
};

/* Room for a secret and its line end, and a byte to see that the file goes on. */
#define FILE_ROOM (CREDENTIAL_MAX + sizeof("\r\n"))

/* ---- reading, each function NULL or a static text of what is wrong ---- */

static size_t without_line_end(const char *text, size_t length)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    return length;
}

static const char *check_secret(const char *text, size_t length)
{
    if (length == 0)
        return "it is empty; write the secret into it";
    if (length > CREDENTIAL_MAX)
        return "it is longer than 8192 bytes; is it this file?";
    if (memchr(text, '\0', length))
        return "it holds a NUL; write the secret as text";
    if (memchr(text, '\n', length) || memchr(text, '\r', length))
        return "it has several lines; write the secret in one";
    return NULL;
}
_Static_assert(CREDENTIAL_MAX == 8192, "the text above names it");

/* Into `to`, of FILE_ROOM bytes. */
static const char *read_secret(const char *path, char *to, size_t *ret_length)
{
    size_t length = 0;
    const char *error = secret_read(path, to, FILE_ROOM, &length);
    if (error)
        return error;
    length = without_line_end(to, length);
    error = check_secret(to, length);
    if (!error)
        *ret_length = length;
    return error;
}

static const char *encode(const char *text, size_t length, struct secret *ret_secret)
{
    if (!secret_take(ret_secret, BASE64_SIZE(length)))
        return strerrordesc_np(ENOMEM);
    base64_encode(span_of(text, length), ret_secret->bytes);
    return NULL;
}

static const char *secret_path(const struct conf_credential *conf)
{
    return conf->token_file ? conf->token_file : conf->password_file;
}

/* The text that is encoded: the token, or "user:" and the password behind it. */
static const char *read_authorization(const struct conf_credential *conf, struct secret *ret_secret)
{
    char prefix[2] = {conf->token_file ? '\0' : ':', '\0'};
    const char *user = conf->token_file ? "" : conf->user;
    size_t before = strlen(user) + strlen(prefix), length;
    struct secret plain;
    if (!secret_take(&plain, before + FILE_ROOM))
        return strerrordesc_np(ENOMEM);
    memcpy(plain.bytes, user, strlen(user));
    memcpy(plain.bytes + strlen(user), prefix, strlen(prefix));
    const char *error = read_secret(secret_path(conf), plain.bytes + before, &length);
    if (!error)
        error = encode(plain.bytes, before + length, ret_secret);
    secret_clear(&plain);
    return error;
}

/* ---- the credential ---- */

/* Reads the files into *ret_secret. 0 or -1, with *ret_error the operator's text. */
static int load(const struct conf_credential *conf, struct secret *ret_secret, char **ret_error)
{
    if (!secret_path(conf)) {
        *ret_secret = (struct secret){0};
        return 0;
    }
    const char *error = read_authorization(conf, ret_secret);
    if (!error)
        return 0;
    if (asprintf(ret_error, "cannot take the %s from %s: %s",
                 conf->token_file ? "token" : "password", secret_path(conf), error) < 0)
        *ret_error = NULL;
    return -1;
}

/* NULL when there is no memory for it. */
static char *make_label(const struct conf_credential *conf)
{
    char *label = NULL;
    int length = -1;
    if (conf->token_file)
        length = asprintf(&label, "token in %s", conf->token_file);
    if (!conf->token_file && conf->user)
        length = asprintf(&label, "user %s (password in %s)", conf->user, conf->password_file);
    if (!conf->token_file && !conf->user)
        return strdup("no credentials");
    return length < 0 ? NULL : label;
}

static struct stamp take_stamp(const struct conf_credential *conf)
{
    return secret_path(conf) ? stamp_take(secret_path(conf)) : (struct stamp){0};
}

int credential_open(const struct conf_credential *conf, struct credential **ret_credential,
                    char **ret_error)
{
    struct secret authorization = {0};
    struct stamp stamp = take_stamp(conf);
    if (load(conf, &authorization, ret_error) != 0)
        return -1;
    struct credential *credential = calloc(1, sizeof(*credential));
    char *label = make_label(conf);
    if (!credential || !label) {
        secret_clear(&authorization);
        free(credential);
        free(label);
        *ret_error = strdup("no memory for a credential");
        return -1;
    }
    *credential = (struct credential){
        .conf = conf, .authorization = authorization, .stamp = stamp, .label = label};
    *ret_credential = credential;
    return 0;
}

struct credential *credential_of_client(struct span authorization)
{
    struct credential *credential = calloc(1, sizeof(*credential));
    if (!credential || !secret_take(&credential->authorization, authorization.length))
        abort();
    if (authorization.length > 0)
        memcpy(credential->authorization.bytes, authorization.at, authorization.length);
    credential->label = strdup("the client's own");
    if (!credential->label)
        abort();
    return credential;
}

bool credential_is_clients(const struct credential *credential)
{
    return !credential->conf;
}

int credential_read(struct credential *credential, char **ret_error)
{
    struct secret fresh = {0};
    credential->stamp = take_stamp(credential->conf);
    if (load(credential->conf, &fresh, ret_error) != 0) {
        credential->stamp.is_young = true; /* it is read again, until it can be */
        return -1;
    }
    bool is_next = credential->next.length > 0 && secret_equal(&fresh, &credential->next);
    bool is_used = secret_equal(&fresh, &credential->authorization);
    if (!is_next)
        secret_clear(&credential->next);
    if (is_next || is_used) {
        secret_clear(&fresh);
        return 0;
    }
    credential->next = fresh;
    return 1;
}

/* It was read before the process became its user: another one takes a restart. */
static bool is_out_of_reach(const char *path)
{
    return euidaccess(path, R_OK) != 0 && errno == EACCES;
}

int credential_look(struct credential *credential, char **ret_error)
{
    const char *path = secret_path(credential->conf);
    if (!path || stamp_holds(&credential->stamp, path) || is_out_of_reach(path))
        return 0;
    return credential_read(credential, ret_error);
}

void credential_take_next(struct credential *credential)
{
    secret_clear(&credential->authorization);
    credential->authorization = credential->next;
    credential->next = (struct secret){0};
}

struct span credential_authorization(const struct credential *credential)
{
    return span_of(credential->authorization.bytes, credential->authorization.length);
}

struct span credential_next(const struct credential *credential)
{
    return span_of(credential->next.bytes, credential->next.length);
}

const char *credential_label(const struct credential *credential)
{
    return credential->label;
}

void credential_close(struct credential *credential)
{
    if (!credential)
        return;
    secret_clear(&credential->authorization);
    secret_clear(&credential->next);
    free(credential->label);
    free(credential);
}
