/* SPDX-License-Identifier: Apache-2.0 */
/* What one HTTP/1.1 connection may make us hold. */
#ifndef PROTO_HTTP1_LIMITS_H
#define PROTO_HTTP1_LIMITS_H

#include <stdint.h>

struct http1_limits {
    uint32_t max_header;    /* bytes of a request's header fields and trailers together */
    uint32_t max_pipelined; /* bytes of requests behind one that is not answered, from which on a
                               client is not read */
};

#endif
