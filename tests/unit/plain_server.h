/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon made of a few lines: a listener whose clients a script in a thread serves, byte by byte
 * as the test wants it. Everything that fails ends the test. */
#ifndef TESTS_PLAIN_SERVER_H
#define TESTS_PLAIN_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

struct plain_server {
    int listener;
    char address[64]; /* as libmvb takes it */
    char folder[32];
    atomic_int accepted;
    pthread_t thread;
    void (*script)(struct plain_server *server);
};

struct plain_request {
    uint32_t length;
    uint8_t type;
    uint16_t text;
    uint32_t id;
    uint32_t timeout;
    char *body; /* the script's to free() */
};

struct plain_frame {
    uint8_t type;
    uint8_t code;
    uint32_t id;
    uint32_t phase;
    const char *text;
    const char *data; /* both texts, for tests; NULL: none */
};

void plain_server_start(struct plain_server *server, void (*script)(struct plain_server *));
/* The same over TCP. */
void plain_server_start_inet(struct plain_server *server, void (*script)(struct plain_server *));

/* Waits for the script's end. */
void plain_server_stop(struct plain_server *server);

/* Takes a connection and its preface. */
int plain_accept(struct plain_server *server);

struct plain_request plain_read(int fd);

/* plain_read() of a request whose body nobody cares for; its id. */
uint32_t plain_read_id(int fd);

/* Writes the frame into `to`, at most 512 bytes; returns how many. */
size_t plain_encode(const struct plain_frame *frame, uint8_t to[512]);

void plain_send(int fd, const struct plain_frame *frame);
void plain_reply(int fd, uint32_t id, const char *data);
void plain_goaway(int fd, uint8_t code, const char *text);

/* Whether the other side has closed; waits for it. */
int plain_closed(int fd);

#endif
