/* SPDX-License-Identifier: Apache-2.0 */
/* Why TLS has failed, in words that a person can act on: what is wrong, and the key of the
 * configuration that it is about. */
#ifndef POOL_TLS_REASON_H
#define POOL_TLS_REASON_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st; /* OpenSSL's SSL */

/* Writes it; error: OpenSSL's, or 0. False: TLS has not failed, the socket has. */
bool tls_reason(const struct ssl_st *ssl, unsigned long error, char *to, size_t room);

#endif
