/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/peer.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int family_of(int fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 ? address.ss_family : -1;
}

bool peer_is_tcp(int fd)
{
    int family = family_of(fd);
    return family == AF_INET || family == AF_INET6;
}

static void write_address(const struct sockaddr_storage *address, socklen_t length,
                          char to[PEER_TEXT_MAX])
{
    char host[PEER_TEXT_MAX - 12];
    char port[8];
    bool ipv6 = address->ss_family == AF_INET6;
    if (getnameinfo((const struct sockaddr *)address, length, host, sizeof(host), port,
                    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(to, PEER_TEXT_MAX, ipv6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void describe_tcp(int fd, char to[PEER_TEXT_MAX])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    if (getpeername(fd, (struct sockaddr *)&address, &length) == 0)
        write_address(&address, length, to);
}

void peer_own_address(int fd, char to[PEER_TEXT_MAX])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof(address);
    *to = '\0';
    if (peer_is_tcp(fd) && getsockname(fd, (struct sockaddr *)&address, &length) == 0)
        write_address(&address, length, to);
}

bool peer_user(int fd, uid_t *ret_uid, gid_t *ret_gid)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    /* Of a TCP socket the kernel knows nobody, and says uid -1. */
    if (family_of(fd) != AF_UNIX || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    *ret_uid = peer.uid;
    *ret_gid = peer.gid;
    return true;
}

gid_t *peer_groups(int fd, size_t *ret_count)
{
    socklen_t length = 0; /* so the kernel says how many bytes there are, with ERANGE */
    *ret_count = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0 || errno != ERANGE)
        return NULL;
    gid_t *groups = malloc(length);
    if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) == 0) {
        *ret_count = length / sizeof(*groups);
        return groups;
    }
    free(groups);
    return NULL;
}

void peer_describe(int fd, char to[PEER_TEXT_MAX])
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    strcpy(to, "gone");
    if (peer_is_tcp(fd))
        describe_tcp(fd, to);
    else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
        snprintf(to, PEER_TEXT_MAX, "pid %d, uid %u", (int)peer.pid, peer.uid);
}
