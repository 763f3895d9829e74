/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/tls_files.h"

struct tls {
    const struct conf_tls *conf;
    struct tls_files files; /* as they were read */
    SSL_CTX *context;
};

/* The protocols of ALPN, each behind its length (RFC 7301 section 3.1). */
static const unsigned char protocols[] = {2, 'h', '2'};

static int file_error(const char *name, const char *otherwise, char **ret_error)
{
    const char *what = access(name, R_OK) == 0 ? otherwise : strerror(errno);
    if (asprintf(ret_error, "%s: %s", name, what) < 0)
        abort();
    ERR_clear_error();
    return -1;
}

static int load_authorities(SSL_CTX *context, const char *ca_file, char **ret_error)
{
    if (!ca_file) {
        SSL_CTX_set_default_verify_paths(context);
        return 0;
    }
    if (SSL_CTX_load_verify_file(context, ca_file) == 1)
        return 0;
    return file_error(ca_file, "no certificates in PEM", ret_error);
}

static int load_own(SSL_CTX *context, const struct conf_tls *conf, char **ret_error)
{
    if (!conf->cert_file)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, conf->cert_file) != 1)
        return file_error(conf->cert_file, "no certificates in PEM", ret_error);
    if (SSL_CTX_use_PrivateKey_file(context, conf->key_file, SSL_FILETYPE_PEM) == 1)
        return 0;
    bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    return file_error(conf->key_file,
                      mismatch ? "the key is not that of cert_file" : "no key in PEM", ret_error);
}

/* NULL: *ret_error names the file that cannot be used. */
static SSL_CTX *make_context(const struct conf_tls *conf, char **ret_error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        abort();
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(context, protocols, sizeof(protocols));
    if (load_authorities(context, conf->ca_file, ret_error) == 0 &&
        load_own(context, conf, ret_error) == 0)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* Connections that stand keep what they were made with. */
static bool load(struct tls *tls, char **ret_error)
{
    struct tls_files files = tls_files_take(tls->conf);
    SSL_CTX *context = make_context(tls->conf, ret_error);
    if (!context)
        return false;
    SSL_CTX_free(tls->context);
    tls->context = context;
    tls->files = files;
    return true;
}

struct tls *tls_new(const struct conf_tls *conf, char **ret_error)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (!tls)
        abort();
    tls->conf = conf;
    if (load(tls, ret_error))
        return tls;
    free(tls);
    return NULL;
}

bool tls_refresh(struct tls *tls, char **ret_error)
{
    return tls_files_hold(&tls->files, tls->conf) || load(tls, ret_error);
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

/* Addresses are not announced (RFC 6066 section 3). */
static void set_name(SSL *ssl, const char *name)
{
    struct in6_addr address;
    bool is_address =
        inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int result = is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name)
                            : SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
    if (result != 1)
        abort();
}

struct ssl_st *tls_connection_new(struct tls *tls, const char *name)
{
    SSL *ssl = SSL_new(tls->context);
    if (!ssl)
        abort();
    set_name(ssl, name);
    return ssl;
}

struct ssl_st *tls_connection_new_http1(struct tls *tls, const char *name)
{
    SSL *ssl = tls_connection_new(tls, name);
    SSL_set_alpn_protos(ssl, NULL, 0);
    return ssl;
}

bool tls_speaks_h2(const struct ssl_st *ssl)
{
    const unsigned char *chosen;
    unsigned length;
    SSL_get0_alpn_selected(ssl, &chosen, &length);
    return length == protocols[0] && memcmp(chosen, protocols + 1, length) == 0;
}

bool tls_is_up(const struct ssl_st *ssl)
{
    return SSL_is_init_finished(ssl) != 0;
}

void tls_say_goodbye(struct ssl_st *ssl)
{
    if (tls_is_up(ssl))
        SSL_shutdown(ssl);
    ERR_clear_error();
}
