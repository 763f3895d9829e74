/* SPDX-License-Identifier: Apache-2.0 */
/* A name server on the test's own loop, for one name, and the files that lead to it. */
#ifndef TESTS_NAME_SERVER_H
#define TESTS_NAME_SERVER_H

#include <event2/event.h>
#include <stdbool.h>

#define NAME_SERVER_NAME "milvus.example"

struct name_server {
    const char *ipv4; /* addresses parted by blanks, empty: the name has none; NULL: no answer */
    const char *ipv6;
    bool cut;         /* answers say that they have been cut */
    size_t questions; /* that came, of either family */
    size_t ipv6_questions;

    int socket;
    struct event *readable;
    char resolv_conf[64]; /* names of files */
    char hosts[64];
};

/* `hosts`: what stands in the hosts file. */
void name_server_open(struct name_server *server, struct event_base *loop, const char *hosts);
void name_server_close(struct name_server *server);

#endif
