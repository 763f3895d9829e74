/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that are quiet give back what they can do without. */
#include "daemon/client_state.h"
#include "pool/clock.h"

/* ms. Going to rest and waking up cost 11 us together, and a client in use does neither. */
#define QUIET_TIME 5000
#define AT_ONCE    16 /* in one turn of the loop */

static void start_timer(struct clients *clients, int64_t now)
{
    const struct client *first = TAILQ_FIRST(&clients->awake);
    if (!first)
        return;
    struct timeval time = clock_wait(first->rest_at - now);
    event_add(clients->quiet, &time);
}

static void look_again(struct client *client, int64_t now)
{
    client->stirred = false;
    client->rest_at = now + QUIET_TIME;
    TAILQ_INSERT_TAIL(&client->owner->awake, client, awake_link);
}

void client_stir(struct client *client)
{
    struct clients *owner = client->owner;
    client->stirred = true;
    if (client->awake || !client->front->rest)
        return;
    client->awake = true;
    look_again(client, clock_now());
    if (!event_pending(owner->quiet, EV_TIMEOUT, NULL))
        start_timer(owner, clock_now());
}

static void rest_if_quiet(struct client *client, int64_t now)
{
    struct client_list *awake = &client->owner->awake;
    TAILQ_REMOVE(awake, client, awake_link);
    if (client->front_data && (client->stirred || client->front->busy(client))) {
        look_again(client, now);
        return;
    }
    client->awake = false;
    if (client->front_data)
        client->front->rest(client);
}

void clients_on_quiet(evutil_socket_t fd, short what, void *argument)
{
    (void)fd, (void)what;
    struct clients *clients = argument;
    int64_t now = clock_now();
    struct client *client;
    for (int i = 0; i < AT_ONCE && (client = TAILQ_FIRST(&clients->awake)); i++) {
        if (client->rest_at > now)
            break;
        rest_if_quiet(client, now);
    }
    start_timer(clients, now);
}
