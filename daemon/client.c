/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/peer.h"
#include "daemon/client_state.h"
#include "daemon/front_plain.h"
#include "pool/clock.h"

#define SCRATCH_SIZE    (256u << 10) /* bytes read at once */
#define CUT_MESSAGE_MAX 512          /* bytes of what a client is told that is cut off */

struct clients *client_owner(const struct client *client)
{
    return client->owner;
}

const char *client_refusal(const struct client *client, enum code *ret_code)
{
    *ret_code = client->refusal_code;
    return client->refusal;
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

void client_free(struct client *client)
{
    struct clients *owner = client->owner;
    close_front(client);
    event_del(&client->readable);
    if (client->writable)
        event_free(client->writable);
    event_del(&client->timer);
    if (client->stall)
        event_free(client->stall);
    output_clear(&client->output);
    client_forget_identity(client);
    close(client->fd);
    if (client->dirty)
        TAILQ_REMOVE(&owner->dirty, client, dirty_link);
    if (client->awake)
        TAILQ_REMOVE(&owner->awake, client, awake_link);
    TAILQ_REMOVE(&owner->all, client, link);
    owner->count--;
    free(client);
    owner->left(owner->context);
}

void client_start_wait(struct client *client, enum client_wait wait, int64_t limit)
{
    struct timeval time = clock_wait(limit);
    client->wait = wait;
    event_add(&client->timer, &time);
}

void client_stop_wait(struct client *client, enum client_wait wait)
{
    if (client->wait != wait)
        return;
    client->wait = WAIT_NOTHING;
    event_del(&client->timer);
}

/* Unless the client is leaving anyway. */
void client_wait_for_message(struct client *client)
{
    if (!client->front->in_message(client))
        client_stop_wait(client, WAIT_FRAME);
    else if (client->wait == WAIT_NOTHING && !client->owner->draining)
        client_start_wait(client, WAIT_FRAME, client->owner->conf->limits.frame_timeout);
}

void client_refuse(struct client *client, enum code code, const char *why)
{
    if (client->refusal)
        return;
    client->refusal_code = code;
    client->refusal = why;
}

void client_close(struct client *client)
{
    if (client->state >= CLOSING)
        return;
    close_front(client);
    client->state = CLOSING;
    client_stop_stall(client);
    if (client->paused)
        event_add(&client->readable, NULL);
    client->paused = false;
    client_start_wait(client, WAIT_CLOSE, CLIENT_CLOSE_TIME);
    client_flush_later(client);
}

void client_cut(struct client *client, enum code code, const char *message)
{
    const struct front *front = client->front ? client->front : &front_plain;
    char peer[PEER_TEXT_MAX];
    char text[CUT_MESSAGE_MAX];
    snprintf(text, sizeof(text), "milvus-bouncer: %s", message);
    peer_describe(client->fd, peer);
    log_info(client->owner->logger, "client cut off (%s): %s", peer, text);
    front->goaway(client, code, text);
    client_close(client);
}

static bool front_busy(const struct client *client)
{
    return client->front_data && client->front->busy(client);
}

void client_answered(struct client *client)
{
    bool drained = client->owner->draining && client->wait != WAIT_DRAIN;
    bool leaving = client->input_ended || client->refusal || drained;
    if (leaving && client->state == OPEN && !front_busy(client))
        client_close(client);
}

void client_message_ended(struct client *client)
{
    client_stop_wait(client, WAIT_FRAME);
}

static void start_is_late(struct client *client)
{
    if (client->refusal)
        client_cut(client, client->refusal_code, client->refusal);
    else
        client_cut(client, CODE_DEADLINE_EXCEEDED,
                   "the first bytes did not come within frame_timeout");
}

static void drain_moment_is_over(struct client *client)
{
    if (client->state == NEW) {
        client_close(client);
        return;
    }
    client->front->drain(client, false);
    client_answered(client);
}

static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct client *client = argument;
    enum client_wait wait = client->wait;
    client->wait = WAIT_NOTHING;
    switch (wait) {
    case WAIT_NOTHING:
        return;
    case WAIT_START:
        start_is_late(client);
        return;
    case WAIT_FRAME:
        client_cut(client, CODE_DEADLINE_EXCEEDED, "a message was not whole within frame_timeout");
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
    event_del(&client->readable);
    event_assign(&client->readable, client->owner->loop, client->fd, EV_READ | EV_ET | EV_PERSIST,
                 on_hangup, client);
    client_watch_anew(client);
    event_add(&client->readable, NULL);
}

/* Over TCP a peer that is gone looks like one that is half-closed, until something is sent to it.
 */
static void end_input(struct client *client)
{
    client->input_ended = true;
    if (client->state == OPEN && client->front->in_message(client))
        client_cut(client, CODE_INVALID_ARGUMENT, "the input ended in a message");
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

void client_hand_on(struct client *client, struct span bytes)
{
    client_stir(client);
    client->front->input(client, bytes);
    if (client->state == OPEN)
        client_wait_for_message(client);
}

void client_has_shown_secret(struct client *client)
{
    client->owner->scratch_is_secret = true;
}

/* A client's secret may have come in several parts, the longest of which was not the last. */
static void wipe_scratch(struct clients *clients)
{
    explicit_bzero(clients->scratch, clients->scratch_used);
    clients->scratch_used = 0;
    clients->scratch_is_secret = false;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct client *client = argument;
    struct clients *owner = client->owner;
    uint8_t *scratch = owner->scratch;
    ssize_t length = recv(fd, scratch, SCRATCH_SIZE, MSG_DONTWAIT);
    if (length > 0 && (size_t)length > owner->scratch_used)
        owner->scratch_used = (size_t)length;
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length < 0 || (length == 0 && client->state == LINGERING))
        client_free(client);
    else if (length == 0)
        end_input(client);
    else if (client->state == NEW)
        client_take_start(client, span_of(scratch, (size_t)length));
    else if (client->state == OPEN)
        client_hand_on(client, span_of(scratch, (size_t)length));
    if (owner->scratch_is_secret)
        wipe_scratch(owner);
}

void client_accept(struct clients *clients, int fd, const struct conf_listener *listener)
{
    struct client *client = calloc(1, sizeof(*client));
    if (!client) {
        close(fd);
        return;
    }
    client->owner = clients;
    client->fd = fd;
    client->listener = listener;
    if (clients->count >= clients->max)
        client_refuse(client, CODE_RESOURCE_EXHAUSTED, "max_clients are connected already");
    else
        client_identify(client);
    output_init(&client->output);
    event_assign(&client->readable, clients->loop, fd, EV_READ | EV_PERSIST, on_readable, client);
    event_assign(&client->timer, clients->loop, -1, 0, on_timer, client);
    event_add(&client->readable, NULL);
    client_start_wait(client, WAIT_START,
                      client->refusal ? CLIENT_CLOSE_TIME : clients->conf->limits.frame_timeout);
    TAILQ_INSERT_TAIL(&clients->all, client, link);
    clients->count++;
}

static bool passes_authorization(const struct conf *conf)
{
    bool passes = false;
    for (size_t i = 0; i < conf->database_count; i++)
        passes = passes || conf->databases[i].credentials == CONF_CREDENTIALS_CLIENT;
    return passes;
}

void clients_init(struct clients *clients)
{
    clients->passes_authorization = passes_authorization(clients->conf);
    TAILQ_INIT(&clients->all);
    TAILQ_INIT(&clients->dirty);
    TAILQ_INIT(&clients->awake);
    clients->scratch = malloc(SCRATCH_SIZE);
    clients->flush = event_new(clients->loop, -1, 0, clients_on_flush, clients);
    clients->quiet = event_new(clients->loop, -1, 0, clients_on_quiet, clients);
    if (!clients->scratch || !clients->flush || !clients->quiet)
        abort();
}

void clients_drain(struct clients *clients)
{
    clients->draining = true;
    struct client *client;
    TAILQ_FOREACH (client, &clients->all, link) {
        if (client->state <= OPEN)
            client_tell_to_go(client);
    }
}

void clients_free(struct clients *clients)
{
    struct client *client;
    while ((client = TAILQ_FIRST(&clients->all)))
        client_free(client);
    if (clients->flush)
        event_free(clients->flush);
    if (clients->quiet)
        event_free(clients->quiet);
    free(clients->scratch);
}
