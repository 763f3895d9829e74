/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/identity.h"

#include <stdlib.h>

#include "auth/peer.h"

void identity_read(struct identity *identity, int fd, const struct conf_listener *listener)
{
    *identity = (struct identity){.listener = listener};
    identity->has_peer = peer_user(fd, &identity->uid, &identity->gid);
    if (identity->has_peer)
        identity->groups = peer_groups(fd, &identity->group_count);
}

bool identity_is_in(const struct identity *identity, gid_t group)
{
    bool is_in = identity->has_peer && identity->gid == group;
    for (size_t i = 0; i < identity->group_count; i++)
        is_in = is_in || identity->groups[i] == group;
    return is_in;
}

void identity_clear(struct identity *identity)
{
    free(identity->groups);
    *identity = (struct identity){0};
}
