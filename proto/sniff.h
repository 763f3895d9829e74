/* SPDX-License-Identifier: Apache-2.0 */
/* Which protocol a connection speaks, told by its first bytes. */
#ifndef PROTO_SNIFF_H
#define PROTO_SNIFF_H

#include "proto/span.h"

enum sniff {
    SNIFF_MORE,    /* too few bytes to tell */
    SNIFF_PLAIN,   /* "MVB1" */
    SNIFF_HTTP2,   /* the connection preface, RFC 9113 section 3.4: "PRI * HTTP/2.0..." */
    SNIFF_HTTP1,   /* a method in capital letters, RFC 9110 section 9.1 */
    SNIFF_TLS,     /* a ClientHello, RFC 8446 section 5.1 */
    SNIFF_UNKNOWN, /* none of them */
};

#define SNIFF_BYTES 4 /* so many bytes always tell */

enum sniff sniff(struct span start);

#endif
