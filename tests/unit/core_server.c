/* SPDX-License-Identifier: Apache-2.0 */
#include "core_server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS_MAX 32
#define PATIENCE  10      /* seconds */
#define MOMENT    1000000 /* ns */

struct served {
    struct core_server *server;
    grpc_call *call;
    grpc_completion_queue *queue;
    grpc_call_details details;
    grpc_metadata_array metadata;
    int cancelled;
    bool started;
    pthread_t thread;
};

struct core_server {
    struct core_answer answer;
    struct event_base *loop;
    grpc_server *core;
    grpc_completion_queue *queue;
    pthread_t thread;
    int port;
    struct served calls[CALLS_MAX]; /* the accepting thread's, until it has ended */
    size_t call_count;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    struct core_seen seen;
    bool released;
};

static void lock(struct core_server *server)
{
    pthread_mutex_lock(&server->lock);
}

static void unlock(struct core_server *server)
{
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* ---- what was seen ---- */

static void put(char *to, size_t room, const void *bytes, size_t length)
{
    size_t have = strlen(to);
    if (length > room - 1 - have)
        length = room - 1 - have;
    memcpy(to + have, bytes, length);
    to[have + length] = '\0';
}

static void put_text(char *to, size_t room, grpc_slice slice)
{
    put(to, room, GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
}

static void put_hex(char *to, size_t room, grpc_slice slice)
{
    for (size_t i = 0; i < GRPC_SLICE_LENGTH(slice); i++) {
        char digits[3];
        snprintf(digits, sizeof(digits), "%02x", GRPC_SLICE_START_PTR(slice)[i]);
        put(to, room, digits, 2);
    }
}

static void note_call(const struct served *served)
{
    struct core_seen *seen = &served->server->seen;
    gpr_timespec deadline = gpr_convert_clock_type(served->details.deadline, GPR_CLOCK_REALTIME);
    bool endless = gpr_time_cmp(deadline, gpr_inf_future(GPR_CLOCK_REALTIME)) == 0;
    gpr_timespec left = gpr_time_sub(deadline, gpr_now(GPR_CLOCK_REALTIME));
    lock(served->server);
    seen->calls++;
    seen->timeout = endless ? 0 : gpr_time_to_millis(left);
    *seen->method = '\0';
    *seen->metadata = '\0';
    put_text(seen->method, sizeof(seen->method), served->details.method);
    for (size_t i = 0; i < served->metadata.count; i++) {
        const grpc_metadata *item = &served->metadata.metadata[i];
        put_text(seen->metadata, sizeof(seen->metadata), item->key);
        put(seen->metadata, sizeof(seen->metadata), "=", 1);
        if (grpc_is_binary_header(item->key))
            put_hex(seen->metadata, sizeof(seen->metadata), item->value);
        else
            put_text(seen->metadata, sizeof(seen->metadata), item->value);
        put(seen->metadata, sizeof(seen->metadata), ";", 1);
    }
    unlock(served->server);
}

static void note_message(struct core_server *server, grpc_byte_buffer *message)
{
    static const char letters[] = {
        [GRPC_COMPRESS_NONE] = '-', [GRPC_COMPRESS_DEFLATE] = 'd', [GRPC_COMPRESS_GZIP] = 'g'};
    grpc_byte_buffer_reader reader;
    grpc_byte_buffer_reader_init(&reader, message);
    grpc_slice all = grpc_byte_buffer_reader_readall(&reader);
    lock(server);
    struct core_seen *seen = &server->seen;
    put(seen->encodings, sizeof(seen->encodings), &letters[message->data.raw.compression], 1);
    *seen->last = '\0';
    put_text(seen->last, sizeof(seen->last), all);
    seen->received++;
    unlock(server);
    grpc_slice_unref(all);
    grpc_byte_buffer_reader_destroy(&reader);
}

/* ---- a call ---- */

/* Does these together to their end; false: they failed. */
static bool perform_all(struct served *served, const grpc_op *ops, size_t count)
{
    grpc_call_error error = grpc_call_start_batch(served->call, ops, count, (void *)ops, NULL);
    cr_assert_eq(error, GRPC_CALL_OK, "%s", grpc_call_error_to_string(error));
    return grpc_completion_queue_pluck(served->queue, (void *)ops,
                                       gpr_inf_future(GPR_CLOCK_REALTIME), NULL)
               .success != 0;
}

static bool perform(struct served *served, const grpc_op *op)
{
    return perform_all(served, op, 1);
}

/* NULL: no more come. */
static grpc_byte_buffer *receive(struct served *served)
{
    grpc_byte_buffer *message = NULL;
    grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
    op.data.recv_message.recv_message = &message;
    perform(served, &op);
    if (message)
        note_message(served->server, message);
    return message;
}

static bool answer_with(struct served *served, grpc_byte_buffer *message)
{
    grpc_op op = {.op = GRPC_OP_SEND_MESSAGE};
    op.data.send_message.send_message = message;
    bool sent = perform(served, &op);
    lock(served->server);
    served->server->seen.sent += sent;
    unlock(served->server);
    return sent;
}

static void echo(struct served *served)
{
    grpc_byte_buffer *message;
    while ((message = receive(served))) {
        message->data.raw.compression = GRPC_COMPRESS_NONE;
        answer_with(served, message);
        grpc_byte_buffer_destroy(message);
    }
}

static unsigned long read_number(struct served *served)
{
    grpc_byte_buffer *message = receive(served);
    lock(served->server);
    unsigned long number = strtoul(served->server->seen.last, NULL, 10);
    unlock(served->server);
    grpc_byte_buffer_destroy(message);
    return number;
}

/* Each message begins with its number. */
static void count(struct served *served)
{
    bool sent = true;
    unsigned long number = read_number(served);
    for (unsigned long i = 0; sent && i < number; i++) {
        grpc_slice slice = grpc_slice_malloc(served->server->answer.message_size);
        memset(GRPC_SLICE_START_PTR(slice), 0, GRPC_SLICE_LENGTH(slice));
        snprintf((char *)GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice), "%lu", i);
        grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);
        sent = answer_with(served, message);
        grpc_byte_buffer_destroy(message);
        grpc_slice_unref(slice);
    }
}

static void hold(struct served *served)
{
    grpc_byte_buffer *message;
    while ((message = receive(served)))
        grpc_byte_buffer_destroy(message);
    message = grpc_raw_byte_buffer_create(NULL, 0);
    answer_with(served, message);
    grpc_byte_buffer_destroy(message);
}

static void wait_for_release(struct core_server *server)
{
    lock(server);
    while (!server->released)
        pthread_cond_wait(&server->changed, &server->lock);
    unlock(server);
}

static grpc_op headers_op(const struct served *served)
{
    const struct core_answer *answer = &served->server->answer;
    grpc_op op = {.op = GRPC_OP_SEND_INITIAL_METADATA};
    op.data.send_initial_metadata.metadata = answer->headers;
    op.data.send_initial_metadata.count = answer->header_count;
    return op;
}

/* Ends the call with these operations and the status. */
static void end_with(struct served *served, grpc_op *ops, size_t count)
{
    const struct core_answer *answer = &served->server->answer;
    grpc_slice details = grpc_slice_from_copied_string(answer->details ? answer->details : "");
    grpc_op op = {.op = GRPC_OP_SEND_STATUS_FROM_SERVER};
    op.data.send_status_from_server.status = answer->status;
    op.data.send_status_from_server.status_details = &details;
    op.data.send_status_from_server.trailing_metadata = answer->trailers;
    op.data.send_status_from_server.trailing_metadata_count = answer->trailer_count;
    ops[count] = op;
    perform_all(served, ops, count + 1);
    grpc_slice_unref(details);
}

static void (*work_of(const struct served *served))(struct served *)
{
    if (grpc_slice_str_cmp(served->details.method, "/test/Echo") == 0)
        return echo;
    if (grpc_slice_str_cmp(served->details.method, "/test/Count") == 0)
        return count;
    if (grpc_slice_str_cmp(served->details.method, "/test/Hold") == 0)
        return hold;
    return NULL;
}

/* Without work nothing but trailers is sent. */
static void work(struct served *served)
{
    void (*method)(struct served *) = work_of(served);
    grpc_op ops[2] = {headers_op(served)};
    if (!method) {
        end_with(served, ops, 1);
        return;
    }
    if (method == hold)
        wait_for_release(served->server);
    perform(served, ops);
    method(served);
    end_with(served, ops, 0);
}

static void *serve(void *argument)
{
    struct served *served = argument;
    grpc_op closed = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};
    closed.data.recv_close_on_server.cancelled = &served->cancelled;
    grpc_call_start_batch(served->call, &closed, 1, &closed, NULL);
    note_call(served);
    work(served);
    grpc_completion_queue_pluck(served->queue, &closed, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    lock(served->server);
    served->server->seen.ended++;
    served->server->seen.cancelled += served->cancelled != 0;
    unlock(served->server);
    grpc_call_unref(served->call);
    return NULL;
}

/* ---- the server ---- */

static void request_call(struct core_server *server)
{
    cr_assert_lt(server->call_count, CALLS_MAX);
    struct served *served = &server->calls[server->call_count++];
    served->server = server;
    served->queue = grpc_completion_queue_create_for_pluck(NULL);
    grpc_call_details_init(&served->details);
    grpc_metadata_array_init(&served->metadata);
    grpc_server_request_call(server->core, &served->call, &served->details, &served->metadata,
                             served->queue, server->queue, served);
}

static void *accept_calls(void *argument)
{
    struct core_server *server = argument;
    for (;;) {
        grpc_event event =
            grpc_completion_queue_next(server->queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
        if (event.type == GRPC_QUEUE_SHUTDOWN)
            return NULL;
        if (event.tag == server)
            grpc_completion_queue_shutdown(server->queue);
        struct served *served = event.tag == server ? NULL : event.tag;
        if (!served || !event.success)
            continue;
        served->started = pthread_create(&served->thread, NULL, serve, served) == 0;
        request_call(server);
    }
}

static void listen_on_loopback(struct core_server *server)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    server->port = grpc_server_add_http2_port(server->core, "127.0.0.1:0", credentials);
    cr_assert_gt(server->port, 0);
    grpc_server_credentials_release(credentials);
}

/* Messages are taken as they come, so that it can be seen how they were sent. */
struct core_server *core_server_open(const struct core_answer *answer, struct event_base *loop)
{
    struct core_server *server = calloc(1, sizeof(*server));
    grpc_arg as_it_comes = {.type = GRPC_ARG_INTEGER,
                            .key = (char *)GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION,
                            .value.integer = 0};
    grpc_channel_args args = {.num_args = 1, .args = &as_it_comes};
    grpc_init();
    server->answer = *answer;
    server->loop = loop;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->queue = grpc_completion_queue_create_for_next(NULL);
    server->core = grpc_server_create(&args, NULL);
    grpc_server_register_completion_queue(server->core, server->queue, NULL);
    listen_on_loopback(server);
    grpc_server_start(server->core);
    request_call(server);
    cr_assert_eq(pthread_create(&server->thread, NULL, accept_calls, server), 0);
    return server;
}

static void free_served(struct served *served)
{
    if (served->started)
        pthread_join(served->thread, NULL);
    grpc_completion_queue_shutdown(served->queue);
    grpc_completion_queue_destroy(served->queue);
    grpc_call_details_destroy(&served->details);
    grpc_metadata_array_destroy(&served->metadata);
}

void core_server_close(struct core_server *server)
{
    core_server_release(server);
    grpc_server_shutdown_and_notify(server->core, server->queue, server);
    grpc_server_cancel_all_calls(server->core);
    pthread_join(server->thread, NULL);
    for (size_t i = 0; i < server->call_count; i++)
        free_served(&server->calls[i]);
    grpc_server_destroy(server->core);
    grpc_completion_queue_destroy(server->queue);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
    grpc_shutdown();
}

int core_server_port(const struct core_server *server)
{
    return server->port;
}

void core_server_release(struct core_server *server)
{
    lock(server);
    server->released = true;
    unlock(server);
}

/* The counter, once it is there or has changed, or after a moment. */
static size_t wait_for(struct core_server *server, const size_t *counter, size_t value)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += MOMENT;
    limit.tv_sec += limit.tv_nsec / 1000000000;
    limit.tv_nsec %= 1000000000;
    lock(server);
    if (*counter < value)
        pthread_cond_timedwait(&server->changed, &server->lock, &limit);
    size_t last = *counter;
    unlock(server);
    return last;
}

struct core_seen core_server_wait(struct core_server *server, size_t offset, size_t value,
                                  bool runs)
{
    const size_t *counter = (const size_t *)((const char *)&server->seen + offset);
    time_t limit = time(NULL) + PATIENCE;
    size_t last;
    while ((last = wait_for(server, counter, value)) < value && time(NULL) < limit) {
        if (runs)
            event_base_loop(server->loop, EVLOOP_NONBLOCK);
    }
    cr_assert_geq(last, value, "waited for %zu, there are %zu", value, last);
    lock(server);
    struct core_seen seen = server->seen;
    unlock(server);
    return seen;
}
