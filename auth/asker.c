/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/asker.h"

#include "auth/peer.h"
#include "proto/span.h"

/* In the two highest bits; 0 is nobody's: the daemon's own questions. */
#define USER       (UINT64_C(1) << 62)
#define TOKEN      (UINT64_C(2) << 62)
#define CONNECTION (UINT64_C(3) << 62)
#define KIND_MASK  CONNECTION

uint64_t asker_of_socket(int fd, const void *connection)
{
    uid_t uid;
    gid_t gid;
    if (peer_user(fd, &uid, &gid))
        return USER | uid;
    return CONNECTION | ((uintptr_t)connection & ~KIND_MASK);
}

uint64_t asker_of_token(const char *name)
{
    return TOKEN | (span_hash(span_text(name)) & ~KIND_MASK);
}
