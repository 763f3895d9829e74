/* SPDX-License-Identifier: Apache-2.0 */
/* Who somebody is that asks: where they came in, who the kernel says they are, which token they
 * have shown. */
#ifndef AUTH_IDENTITY_H
#define AUTH_IDENTITY_H

#include "conf/conf.h"

/* A struct of zeros is nobody. */
struct identity {
    const struct conf_listener *listener;
    bool has_peer; /* it came over a Unix socket: uid, gid and groups are known */
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* the further ones; owned, or NULL */
    size_t group_count;
    const char *token; /* its name; NULL: none was shown. Borrowed */
};

/* Fills in what a socket tells, as it was when the peer connected. */
void identity_read(struct identity *identity, int fd, const struct conf_listener *listener);

bool identity_is_in(const struct identity *identity, gid_t group);

void identity_clear(struct identity *identity);

#endif
