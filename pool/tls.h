/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS towards upstreams (OpenSSL): version 1.2 or later, ALPN h2 (RFC 9113 section 3.2), and the
 * peer's certificate always verified, against ca_file or the system's store, for the name that the
 * configuration says (RFC 9525).
 */
#ifndef POOL_TLS_H
#define POOL_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

struct tls;
struct ssl_st; /* OpenSSL's SSL */

/* Reads the files of a configuration that outlives it. NULL: *ret_error names the file that cannot
 * be used, to be freed. */
struct tls *tls_new(const struct conf_tls *conf, char **ret_error);

/* Reads the files again, unless they are certainly what they were, for connections made from now
 * on. False: they cannot be used, and what was read before stays; *ret_error as with tls_new(). */
bool tls_refresh(struct tls *tls, char **ret_error);

/* NULL is accepted. Connections may outlive it. */
void tls_free(struct tls *tls);

/* A client's side, which verifies that the peer is `name`: a DNS name, or an address without
 * brackets. The caller's. */
struct ssl_st *tls_connection_new(struct tls *tls, const char *name);

/* The same, to speak HTTP/1.1: without ALPN (RFC 7301), which it does not need. */
struct ssl_st *tls_connection_new_http1(struct tls *tls, const char *name);

/* Whether the peer has agreed to speak HTTP/2, once the handshake is over. */
bool tls_speaks_h2(const struct ssl_st *ssl);

/* Whether the handshake is over, and the peer is who it should be. */
bool tls_is_up(const struct ssl_st *ssl);

/* Tells the peer that nothing follows, as far as that does not wait. */
void tls_say_goodbye(struct ssl_st *ssl);

#endif
