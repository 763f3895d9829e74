/* SPDX-License-Identifier: Apache-2.0 */
/* What is written to a client, once a turn of the loop, and what happens when it is not taken. */
#include <stdlib.h>
#include <sys/socket.h>

#include "daemon/client_state.h"
#include "pool/clock.h"

#define WRITES_MAX 8 /* of one client in one turn of the loop */

void client_flush_later(struct client *client)
{
    if (client->dirty || client->writing)
        return;
    client->dirty = true;
    if (TAILQ_EMPTY(&client->owner->dirty))
        event_active(client->owner->flush, EV_TIMEOUT, 0);
    TAILQ_INSERT_TAIL(&client->owner->dirty, client, dirty_link);
}

static void pause_if_full(struct client *client)
{
    bool read = client->state == OPEN && !client->input_ended && !client->paused;
    if (!read || (!client->held && client->output.size < CLIENT_OUTPUT_HIGH))
        return;
    client->paused = true;
    event_del(&client->readable);
    client_stop_wait(client, WAIT_FRAME);
}

static void resume_if_drained(struct client *client)
{
    if (!client->paused || client->held || client->output.size > CLIENT_OUTPUT_LOW)
        return;
    client->paused = false;
    event_add(&client->readable, NULL);
    client_wait_for_message(client);
}

void client_hold(struct client *client, bool holds)
{
    client->held = holds;
    if (holds)
        pause_if_full(client);
    else
        resume_if_drained(client);
}

void client_write(struct client *client, struct span bytes)
{
    output_add(&client->output, bytes);
    client_flush_later(client);
}

void client_write_blob(struct client *client, struct blob *blob)
{
    output_add_blob(&client->output, blob);
    client_flush_later(client);
}

void client_write_part(struct client *client, struct blob *blob, struct span bytes)
{
    output_add_part(&client->output, blob, bytes);
    client_flush_later(client);
}

bool client_has_room(const struct client *client)
{
    return client->output.size < CLIENT_OUTPUT_HIGH;
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

static size_t front_held(const struct client *client)
{
    return client->front_data && client->front->held ? client->front->held(client) : 0;
}

static void on_stall(evutil_socket_t fd, short what, void *argument);
static void on_writable(evutil_socket_t fd, short what, void *argument);

/* Events that most clients never need. */
static void make_event(struct client *client, struct event **event, int fd, short what,
                       event_callback_fn callback)
{
    if (*event)
        return;
    *event = event_new(client->owner->loop, fd, what, callback, client);
    if (!*event)
        abort();
}

static void start_stall(struct client *client, int64_t limit)
{
    struct timeval time = clock_wait(limit);
    make_event(client, &client->stall, -1, 0, on_stall);
    event_add(client->stall, &time);
}

void client_stop_stall(struct client *client)
{
    if (client->stall)
        event_del(client->stall);
}

/* libevent wants all events of a descriptor alike: see watch_hangup(). */
static void wait_for_socket(struct client *client)
{
    short what = client->input_ended ? EV_WRITE | EV_ET : EV_WRITE;
    make_event(client, &client->writable, client->fd, what, on_writable);
    event_add(client->writable, NULL);
}

void client_watch_anew(struct client *client)
{
    if (!client->writable)
        return;
    bool waits = event_pending(client->writable, EV_WRITE, NULL) != 0;
    event_free(client->writable);
    client->writable = NULL;
    if (waits)
        wait_for_socket(client);
}

struct progress {
    size_t output; /* bytes that wait for the socket */
    size_t held;   /* and with the front */
    uint64_t written;
};

static struct progress progress_of(const struct client *client)
{
    return (struct progress){client->output.size, front_held(client), client->output.written};
}

/* Whether the client has taken nothing since. What was queued and written at once does not count:
 * answers to pings may be all that moves. */
static bool is_stuck(const struct client *client, const struct progress *before)
{
    bool socket_took = before->output > 0 && client->output.written > before->written;
    return !socket_took && front_held(client) >= before->held;
}

static bool is_watched(const struct client *client)
{
    return client->stall && event_pending(client->stall, EV_TIMEOUT, NULL) != 0;
}

static void watch_stall(struct client *client, bool stuck)
{
    if (client->state != OPEN || (client->output.size == 0 && front_held(client) == 0)) {
        client_stop_stall(client);
        return;
    }
    bool watched = is_watched(client);
    if (!stuck || !watched)
        client->progress = clock_now();
    if (!watched)
        start_stall(client, client->owner->conf->limits.stall_timeout);
}

int64_t client_stuck_for(const struct client *client)
{
    return is_watched(client) ? clock_now() - client->progress : 0;
}

static void on_stall(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct client *client = argument;
    int64_t limit = client->owner->conf->limits.stall_timeout;
    int64_t left = client->progress + limit - clock_now();
    if (left > 0)
        start_stall(client, left);
    else
        client_cut(client, CODE_RESOURCE_EXHAUSTED,
                   "what was answered is not taken: nothing of it within "
                   "limits.stall_timeout");
}

static void fill(struct client *client)
{
    if (client->front_data && client->front->fill)
        client->front->fill(client);
}

/* Lets the front fill in and writes, until either has no more or the socket is full; then, or when
 * others have waited long enough, the rest waits for the socket. As output_write(). */
static int fill_and_write(struct client *client)
{
    for (int i = 0; i < WRITES_MAX; i++) {
        fill(client);
        bool more = !client_has_room(client);
        int result = output_write(&client->output, client->fd);
        if (result != 0 || !more)
            return result;
    }
    return 1;
}

static void write_out(struct client *client)
{
    const struct progress before = progress_of(client);
    client->writing = true;
    int result = fill_and_write(client);
    client->writing = false;
    if (result < 0) {
        client_free(client);
        return;
    }
    watch_stall(client, is_stuck(client, &before));
    if (result > 0) {
        wait_for_socket(client);
        if (client->state == CLOSING && client->output.written > before.written)
            client_start_wait(client, WAIT_CLOSE, CLIENT_CLOSE_TIME);
        pause_if_full(client);
        return;
    }
    resume_if_drained(client);
    if (client->state == CLOSING)
        start_lingering(client);
}

void clients_on_flush(evutil_socket_t fd, short what, void *argument)
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
