/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a client's socket share; daemon/client.h is for the fronts and the daemon. */
#ifndef DAEMON_CLIENT_STATE_H
#define DAEMON_CLIENT_STATE_H

#include "daemon/client.h"
#include "pool/output.h"

#define CLIENT_CLOSE_TIME 1000 /* ms of the last moments of a connection, see enum client_wait */

enum client_state { NEW, OPEN, CLOSING, LINGERING };

/* What the client's timer is set for. */
enum client_wait {
    WAIT_NOTHING,
    WAIT_START, /* the first bytes: frame_timeout */
    WAIT_FRAME, /* the rest of a message: frame_timeout */
    WAIT_DRAIN, /* requests that cross with the goaway: CLIENT_CLOSE_TIME */
    WAIT_CLOSE, /* what is queued to be taken, and the peer to close: CLIENT_CLOSE_TIME without
                   progress */
};

struct client {
    struct clients *owner;
    TAILQ_ENTRY(client) link;
    TAILQ_ENTRY(client) dirty_link;
    TAILQ_ENTRY(client) awake_link;
    int fd;
    enum client_state state;
    enum client_wait wait;
    bool dirty;
    bool awake;
    bool stirred;     /* while awake: something has come since rest_at was set */
    bool writing;     /* what is queued now is written in any case */
    bool held;        /* its front can take no more for now */
    bool paused;      /* not read, as it is held or its output is full */
    bool input_ended; /* half-closed */
    bool asks_token;  /* each call finds its rule, by the token it shows */
    enum code refusal_code;
    const char *refusal; /* why it is not served, NULL: it is */
    const struct conf_listener *listener;
    uint64_t asker;            /* see auth/asker.h; of the token it has shown last, if any */
    struct identity *identity; /* NULL: there are no rules */
    struct rule *rule;         /* the one it counts in; NULL: none yet */
    const struct front *front; /* NULL while NEW */
    void *front_data;
    struct output output;
    struct event readable;
    struct event *writable; /* NULL until the socket was full for the first time */
    struct event timer;
    struct event *stall; /* runs while something waits for the client to take it; NULL until then */
    int64_t progress;    /* when it last did, on clock_now()'s clock */
    int64_t rest_at;     /* on the same: while awake, when it may be quiet */
    uint8_t start_length;
    uint8_t start[SNIFF_BYTES];
};

/* It is not served: why, a static text. The first reason stays. */
void client_refuse(struct client *client, enum code code, const char *why);

/* Finds the rule of the whole connection, or that each call has one; refuses it where it has none.
 */
void client_identify(struct client *client);

/* Its protocol carries no token: it has the rule of who shows none. */
void client_shows_no_token(struct client *client);

/* It counts in no rule any more, and is nobody. */
void client_forget_identity(struct client *client);

/* Ends it at once. */
void client_free(struct client *client);

/* Sets its timer: for that, ms from now. Stops it if that is what it is set for. */
void client_start_wait(struct client *client, enum client_wait wait, int64_t limit);
void client_stop_wait(struct client *client, enum client_wait wait);

/* Writes for all that are dirty. Callback, the clients are the argument. */
void clients_on_flush(evutil_socket_t fd, short what, void *argument);

/* Its socket is watched in another way from here on. */
void client_watch_anew(struct client *client);

/* Nothing waits for it any more. */
void client_stop_stall(struct client *client);

/* What was read: to the front, or to find one. */
void client_hand_on(struct client *client, struct span bytes);
void client_take_start(struct client *client, struct span bytes);

/* Something has come for its front. It is awake until nothing has for a while. */
void client_stir(struct client *client);

/* Lets those rest that are quiet. Callback, the clients are the argument. */
void clients_on_quiet(evutil_socket_t fd, short what, void *argument);

/* The daemon drains. */
void client_tell_to_go(struct client *client);

#endif
