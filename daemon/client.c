/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/peer.h"
#include "daemon/front_plain.h"
#include "daemon/output.h"

#define SCRATCH_SIZE (256u << 10) /* bytes read at once */
#define CLOSE_TIME   1000         /* ms of the last moments of a connection, see enum wait */
#define TOO_MANY     "milvus-bouncer: max_clients are connected already"

enum state { NEW, OPEN, CLOSING, LINGERING };

/* What the client's timer is set for. */
enum wait {
    WAIT_NOTHING,
    WAIT_START, /* the first bytes: frame_timeout */
    WAIT_FRAME, /* the rest of a message: frame_timeout */
    WAIT_DRAIN, /* requests that cross with the goaway: CLOSE_TIME */
    WAIT_CLOSE, /* what is queued to be taken, and the peer to close: CLOSE_TIME without progress */
};

struct client {
    struct clients *owner;
    TAILQ_ENTRY(client) link;
    TAILQ_ENTRY(client) dirty_link;
    int fd;
    enum state state;
    enum wait wait;
    bool dirty;
    bool paused;      /* not read, as its output is full */
    bool input_ended; /* half-closed */
    bool refused;     /* one too many */
    const char *database;
    const struct front *front; /* NULL while NEW */
    void *front_data;
    struct output output;
    struct event readable;
    struct event writable;
    struct event timer;
    uint8_t start_length;
    uint8_t start[SNIFF_BYTES];
};

struct clients *client_owner(const struct client *client)
{
    return client->owner;
}

const char *client_database(const struct client *client)
{
    return client->database;
}

void *client_front(const struct client *client)
{
    return client->front_data;
}

void client_set_front(struct client *client, void *front)
{
    client->front_data = front;
}

static void close_front(struct client *client)
{
    if (client->front_data)
        client->front->close(client);
    client->front_data = NULL;
}

static void client_free(struct client *client)
{
    struct clients *owner = client->owner;
    close_front(client);
    event_del(&client->readable);
    event_del(&client->writable);
    event_del(&client->timer);
    output_clear(&client->output);
    close(client->fd);
    if (client->dirty)
        TAILQ_REMOVE(&owner->dirty, client, dirty_link);
    TAILQ_REMOVE(&owner->all, client, link);
    owner->count--;
    free(client);
    owner->left(owner->context);
}

static void start_wait(struct client *client, enum wait wait, int64_t limit)
{
    struct timeval time = {.tv_sec = limit / 1000, .tv_usec = limit % 1000 * 1000};
    client->wait = wait;
    event_add(&client->timer, &time);
}

static void stop_wait(struct client *client, enum wait wait)
{
    if (client->wait != wait)
        return;
    client->wait = WAIT_NOTHING;
    event_del(&client->timer);
}

/* The time of a message that is not whole runs, unless the client is leaving anyway. */
static void wait_for_message(struct client *client)
{
    if (client->wait == WAIT_NOTHING && !client->owner->draining &&
        client->front->in_message(client))
        start_wait(client, WAIT_FRAME, client->owner->conf->limits.frame_timeout);
}

static void mark_dirty(struct client *client)
{
    if (client->dirty)
        return;
    client->dirty = true;
    if (TAILQ_EMPTY(&client->owner->dirty))
        event_active(client->owner->flush, EV_TIMEOUT, 0);
    TAILQ_INSERT_TAIL(&client->owner->dirty, client, dirty_link);
}

static void pause_if_full(struct client *client)
{
    bool read = client->state == OPEN && !client->input_ended && !client->paused;
    if (!read || client->output.size < CLIENT_OUTPUT_HIGH)
        return;
    client->paused = true;
    event_del(&client->readable);
    stop_wait(client, WAIT_FRAME);
}

static void resume_if_drained(struct client *client)
{
    if (!client->paused || client->output.size > CLIENT_OUTPUT_LOW)
        return;
    client->paused = false;
    event_add(&client->readable, NULL);
    wait_for_message(client);
}

void client_write(struct client *client, struct span bytes)
{
    output_add(&client->output, bytes);
    mark_dirty(client);
}

void client_write_blob(struct client *client, struct blob *blob)
{
    output_add_blob(&client->output, blob);
    mark_dirty(client);
}

void client_close(struct client *client)
{
    if (client->state >= CLOSING)
        return;
    close_front(client);
    client->state = CLOSING;
    if (client->paused)
        event_add(&client->readable, NULL);
    client->paused = false;
    start_wait(client, WAIT_CLOSE, CLOSE_TIME);
    mark_dirty(client);
}

void client_cut(struct client *client, enum code code, const char *message)
{
    const struct front *front = client->front ? client->front : &front_plain;
    char peer[PEER_TEXT_MAX];
    peer_describe(client->fd, peer);
    log_info(client->owner->logger, "client cut off (%s): %s", peer, message);
    front->goaway(client, code, message);
    client_close(client);
}

static bool front_busy(const struct client *client)
{
    return client->front_data && client->front->busy(client);
}

void client_answered(struct client *client)
{
    bool leaving = client->input_ended || (client->owner->draining && client->wait != WAIT_DRAIN);
    if (leaving && client->state == OPEN && !front_busy(client))
        client_close(client);
}

void client_message_ended(struct client *client)
{
    stop_wait(client, WAIT_FRAME);
}

/* Closing at once would let the kernel throw away, with a reset, what the peer has not read yet
 * (RFC 9112 9.6). */
static void start_lingering(struct client *client)
{
    if (client->input_ended) {
        client_free(client);
        return;
    }
    client->state = LINGERING;
    shutdown(client->fd, SHUT_WR);
}

static void write_out(struct client *client)
{
    size_t before = client->output.size;
    int result = output_write(&client->output, client->fd);
    if (result < 0) {
        client_free(client);
        return;
    }
    if (result > 0) {
        event_add(&client->writable, NULL);
        if (client->state == CLOSING && client->output.size < before)
            start_wait(client, WAIT_CLOSE, CLOSE_TIME);
        pause_if_full(client);
        return;
    }
    resume_if_drained(client);
    if (client->state == CLOSING)
        start_lingering(client);
}

static void on_flush(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct clients *clients = argument;
    struct client *client;
    while ((client = TAILQ_FIRST(&clients->dirty))) {
        TAILQ_REMOVE(&clients->dirty, client, dirty_link);
        client->dirty = false;
        write_out(client);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct client *client = argument;
    if (client->dirty) {
        TAILQ_REMOVE(&client->owner->dirty, client, dirty_link);
        client->dirty = false;
    }
    write_out(client);
}

static void start_is_late(struct client *client)
{
    if (client->refused)
        client_cut(client, CODE_RESOURCE_EXHAUSTED, TOO_MANY);
    else
        client_cut(client, CODE_DEADLINE_EXCEEDED,
                   "milvus-bouncer: the first bytes did not come within frame_timeout");
}

static void drain_moment_is_over(struct client *client)
{
    if (client->state == NEW)
        client_close(client);
    else
        client_answered(client);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct client *client = argument;
    enum wait wait = client->wait;
    client->wait = WAIT_NOTHING;
    switch (wait) {
    case WAIT_NOTHING:
        return;
    case WAIT_START:
        start_is_late(client);
        return;
    case WAIT_FRAME:
        client_cut(client, CODE_DEADLINE_EXCEEDED,
                   "milvus-bouncer: a message was not whole within frame_timeout");
        return;
    case WAIT_DRAIN:
        drain_moment_is_over(client);
        return;
    case WAIT_CLOSE:
        client_free(client);
    }
}

/* A half-closed client is gone when its other side ends too. */
static void on_hangup(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct pollfd state = {.fd = fd};
    if (poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)))
        client_free(argument);
}

/* From here on only hangups are of interest. They stay true, so they are watched for edges;
 * libevent wants all events of a descriptor alike. */
static void watch_hangup(struct client *client)
{
    bool writing = event_pending(&client->writable, EV_WRITE, NULL) != 0;
    struct event_base *loop = client->owner->loop;
    event_del(&client->readable);
    event_del(&client->writable);
    event_assign(&client->readable, loop, client->fd, EV_READ | EV_ET | EV_PERSIST, on_hangup,
                 client);
    event_assign(&client->writable, loop, client->fd, EV_WRITE | EV_ET, on_writable, client);
    event_add(&client->readable, NULL);
    if (writing)
        event_add(&client->writable, NULL);
}

/* Over TCP a peer that is gone looks like one that is half-closed, until something is sent to it.
 */
static void end_input(struct client *client)
{
    client->input_ended = true;
    if (client->state == OPEN && client->front->in_message(client))
        client_cut(client, CODE_INVALID_ARGUMENT, "milvus-bouncer: the input ended in a message");
    else if (!front_busy(client))
        client_close(client);
    if (client->state == CLOSING) {
        event_del(&client->readable);
        return;
    }
    watch_hangup(client);
    if (peer_is_tcp(client->fd))
        client->front->probe(client);
}

static void hand_on(struct client *client, struct span bytes)
{
    client->front->input(client, bytes);
    if (client->state == OPEN)
        wait_for_message(client);
}

/* For a moment its requests are still taken, to be refused: one that crosses with the goaway is not
 * left without an answer. */
static void tell_to_go(struct client *client)
{
    if (client->front)
        client->front->goaway(client, CODE_UNAVAILABLE,
                              "milvus-bouncer: the daemon drains; open a new connection");
    start_wait(client, WAIT_DRAIN, CLOSE_TIME);
}

static void open_front(struct client *client)
{
    client->state = OPEN;
    client->front = &front_plain;
    stop_wait(client, WAIT_START);
    if (client->refused) {
        client_cut(client, CODE_RESOURCE_EXHAUSTED, TOO_MANY);
        return;
    }
    client->front->open(client);
    if (client->owner->draining)
        tell_to_go(client);
}

static const char *unserved(enum sniff protocol)
{
    switch (protocol) {
    case SNIFF_HTTP2:
        return "milvus-bouncer: gRPC is not served by this version; the plain protocol opens with "
               "\"MVB1\"";
    case SNIFF_HTTP1:
        return "milvus-bouncer: HTTP is not served by this version; the plain protocol opens with "
               "\"MVB1\"";
    case SNIFF_TLS:
        return "milvus-bouncer: TLS is not served here; the plain protocol opens with \"MVB1\"";
    default:
        return "milvus-bouncer: unknown protocol; the plain protocol opens with \"MVB1\"";
    }
}

/* Gathers the first bytes until they tell the protocol. */
static void take_start(struct client *client, struct span bytes)
{
    while (bytes.length > 0 && client->start_length < SNIFF_BYTES) {
        client->start[client->start_length++] = *bytes.at++;
        bytes.length--;
    }
    enum sniff protocol = sniff(span_of(client->start, client->start_length));
    if (protocol == SNIFF_MORE)
        return;
    if (protocol != SNIFF_PLAIN) {
        client_cut(client, CODE_INVALID_ARGUMENT, unserved(protocol));
        return;
    }
    open_front(client);
    if (client->state == OPEN && bytes.length > 0)
        hand_on(client, bytes);
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct client *client = argument;
    uint8_t *scratch = client->owner->scratch;
    ssize_t length = recv(fd, scratch, SCRATCH_SIZE, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0 || (length == 0 && client->state == LINGERING))
        client_free(client);
    else if (length == 0)
        end_input(client);
    else if (client->state == NEW)
        take_start(client, span_of(scratch, (size_t)length));
    else if (client->state == OPEN)
        hand_on(client, span_of(scratch, (size_t)length));
}

void client_accept(struct clients *clients, int fd, const char *database)
{
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        close(fd);
        return;
    }
    client->owner = clients;
    client->fd = fd;
    client->database = database;
    client->refused = clients->count >= clients->max;
    output_init(&client->output);
    event_assign(&client->readable, clients->loop, fd, EV_READ | EV_PERSIST, on_readable, client);
    event_assign(&client->writable, clients->loop, fd, EV_WRITE, on_writable, client);
    event_assign(&client->timer, clients->loop, -1, 0, on_timer, client);
    event_add(&client->readable, NULL);
    start_wait(client, WAIT_START,
               client->refused ? CLOSE_TIME : clients->conf->limits.frame_timeout);
    TAILQ_INSERT_TAIL(&clients->all, client, link);
    clients->count++;
}

void clients_init(struct clients *clients)
{
    TAILQ_INIT(&clients->all);
    TAILQ_INIT(&clients->dirty);
    clients->scratch = malloc(SCRATCH_SIZE);
    clients->flush = event_new(clients->loop, -1, 0, on_flush, clients);
    if (!clients->scratch || !clients->flush)
        abort();
}

void clients_drain(struct clients *clients)
{
    clients->draining = true;
    struct client *client;
    TAILQ_FOREACH (client, &clients->all, link) {
        if (client->state <= OPEN)
            tell_to_go(client);
    }
}

void clients_free(struct clients *clients)
{
    struct client *client;
    while ((client = TAILQ_FIRST(&clients->all)))
        client_free(client);
    if (clients->flush)
        event_free(clients->flush);
    free(clients->scratch);
}
