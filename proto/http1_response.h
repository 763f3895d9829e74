/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an answer over HTTP/1.1 (RFC 9112 section 4). */
#ifndef PROTO_HTTP1_RESPONSE_H
#define PROTO_HTTP1_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Asks for the body of a request that expects it (RFC 9110 section 10.1.1); a client that expects
 * nothing passes over it (section 15.2). */
#define HTTP1_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

struct http1_response {
    unsigned status;
    time_t date;
    const char *type;     /* Content-Type; NULL: there is no content */
    size_t length;        /* Content-Length, bytes */
    bool is_gzip;         /* Content-Encoding */
    const char *allow;    /* the methods there are; NULL: it does not say */
    const char *accepted; /* what a body may be encoded as; the same */
    bool closes;          /* the connection ends with it */
    bool is_old;          /* to a client of HTTP/1.0, which has to be told that it does not */
};

/* The longest head that there is, in bytes. */
#define HTTP1_RESPONSE_MAX 512

/* Writes it, without a NUL; the bytes written. allow and accepted have at most 64 bytes each. */
size_t http1_response_write(char to[HTTP1_RESPONSE_MAX], const struct http1_response *response);

#endif
