/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/front_grpc.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/reload.h"
#include "pool/clock.h"

#define SIGNAL_COUNT      3
#define SPARE_DESCRIPTORS 512u

struct daemon {
    const struct conf *conf;
    const char *file; /* it was read from, or NULL */
    struct log log;
    struct event_base *loop;
    struct event *signals[SIGNAL_COUNT];
    struct event *trim;
    struct transports transports;
    struct rules *rules;
    struct tokens *tokens;
    struct router *router;
    struct clients clients;
    struct listener **listeners;
    size_t listener_count;
    struct conf_listener
        adopted; /* for a socket from systemd that the configuration does not name */
};

static void close_listeners(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->listener_count; i++)
        listener_close(daemon->listeners[i]);
    daemon->listener_count = 0;
}

static void end_if_drained(struct daemon *daemon)
{
    if (daemon->clients.draining && daemon->clients.count == 0)
        event_base_loopbreak(daemon->loop);
}

static void client_left(void *context)
{
    struct daemon *daemon = context;
    for (size_t i = 0; i < daemon->listener_count; i++)
        listener_clients_left(daemon->listeners[i]);
    memory_clients_left(daemon->trim);
    end_if_drained(daemon);
}

static void end_by(struct daemon *daemon, int number)
{
    close_listeners(daemon);
    signal(number, SIG_DFL);
    raise(number);
}

static void on_signal(evutil_socket_t number, short what, void *argument)
{
    (void)what;
    struct daemon *daemon = argument;
    if (daemon->clients.draining) {
        end_by(daemon, (int)number);
        return;
    }
    log_info(&daemon->log.logger, "draining: %u clients are connected", daemon->clients.count);
    front_grpc_report(&daemon->clients);
    sd_notify(0, "STOPPING=1");
    close_listeners(daemon);
    clients_drain(&daemon->clients);
    end_if_drained(daemon);
}

/* For all that is not a client let in; connections for clients' own credentials may be many. */
static rlim_t spare_descriptors(const struct conf *conf)
{
    rlim_t spare = SPARE_DESCRIPTORS;
    for (size_t i = 0; i < conf->database_count; i++) {
        const struct conf_database *database = &conf->databases[i];
        if (database->credentials == CONF_CREDENTIALS_CLIENT)
            spare += (rlim_t)database->max_credentials * database->pool_size *
                     database->upstream->host_count;
    }
    return spare;
}

/* Raises the kernel's limit as far as it goes. Returns how many clients it lets in: what upstreams
 * and refused clients need is kept free. */
static uint32_t raise_descriptor_limit(struct daemon *daemon)
{
    struct rlimit limit;
    uint32_t wanted = daemon->conf->limits.max_clients;
    rlim_t spare = spare_descriptors(daemon->conf);
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return wanted;
    if (limit.rlim_cur < wanted + spare) {
        rlim_t need = wanted + spare;
        limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted + spare)
        return wanted;
    bool tiny = limit.rlim_cur < 2 * spare;
    uint32_t max = (uint32_t)(tiny ? limit.rlim_cur / 2 : limit.rlim_cur - spare);
    log_warning(&daemon->log.logger,
                "max_clients is %u, but the process may open only %llu files (ulimit -n): %u it is",
                wanted, (unsigned long long)limit.rlim_cur, max);
    return max;
}

/* Secrets are in memory. */
static void forbid_core_dumps(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
}

static void on_hangup(evutil_socket_t number, short what, void *argument)
{
    (void)number, (void)what;
    struct daemon *daemon = argument;
    if (daemon->router)
        reload(daemon->file, daemon->conf, daemon->router, daemon->tokens, &daemon->log.logger);
}

static int watch_signals(struct daemon *daemon)
{
    const struct {
        int number;
        event_callback_fn handler;
    } signals[SIGNAL_COUNT] = {{SIGTERM, on_signal}, {SIGINT, on_signal}, {SIGHUP, on_hangup}};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        daemon->signals[i] =
            evsignal_new(daemon->loop, signals[i].number, signals[i].handler, daemon);
        if (!daemon->signals[i] || event_add(daemon->signals[i], NULL) != 0)
            return -1;
    }
    return 0;
}

static int open_access(struct daemon *daemon)
{
    struct conf_fault fault;
    daemon->rules = rules_new(daemon->conf, clock_now());
    if (rules_open_tokens(daemon->conf, clock_now(), &daemon->tokens, &fault) == 0)
        return 0;
    log_error(&daemon->log.logger, "%s:%u:%u: %s", daemon->file, fault.line, fault.column,
              fault.text);
    free(fault.text);
    return -1;
}

static int open_upstreams(struct daemon *daemon)
{
    char *error = NULL;
    daemon->transports.loop = daemon->loop;
    daemon->router =
        router_new(daemon->conf, daemon->loop, &daemon->transports, &daemon->log.logger, &error);
    if (!daemon->router)
        log_error(&daemon->log.logger, "%s", error);
    free(error);
    return daemon->router ? 0 : -1;
}

/* The socket that systemd has bound for this address, or -1; taken out of the list. */
static int take_adopted(const struct address *address, int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] < 0 || !listener_matches(fds[i], address))
            continue;
        int fd = fds[i];
        fds[i] = -1;
        return fd;
    }
    return -1;
}

static int open_configured(struct daemon *daemon, int *fds, int count)
{
    for (size_t i = 0; i < daemon->conf->listener_count; i++) {
        const struct conf_listener *conf = &daemon->conf->listeners[i];
        int fd = take_adopted(&conf->address, fds, count);
        char *error = NULL;
        struct listener *listener =
            fd >= 0 ? listener_adopt(fd, conf) : listener_open(conf, &error);
        if (!listener) {
            log_error(&daemon->log.logger, "%s", error);
            free(error);
            return -1;
        }
        daemon->listeners[daemon->listener_count++] = listener;
    }
    return 0;
}

/* Sockets from systemd whose addresses the configuration does not name serve the database "default"
 * over every protocol. */
static void adopt_rest(struct daemon *daemon, const int *fds, int count)
{
    daemon->adopted = (struct conf_listener){.database = "default",
                                             .protocols = CONF_PROTOCOL_ALL,
                                             .mode = CONF_MODE_UNSET,
                                             .gid = (gid_t)-1};
    strcpy(daemon->adopted.address.text, "a socket from systemd");
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            daemon->listeners[daemon->listener_count++] = listener_adopt(fds[i], &daemon->adopted);
    }
}

static int open_listeners(struct daemon *daemon)
{
    int count = sd_listen_fds(1);
    if (count < 0)
        count = 0;
    int *fds = calloc((size_t)count + 1, sizeof(*fds));
    daemon->listeners =
        calloc((size_t)count + daemon->conf->listener_count, sizeof(struct listener *));
    if (!fds || !daemon->listeners)
        abort();
    for (int i = 0; i < count; i++)
        fds[i] = SD_LISTEN_FDS_START + i;
    int result = open_configured(daemon, fds, count);
    if (result == 0)
        adopt_rest(daemon, fds, count);
    free(fds);
    return result;
}

static void start(struct daemon *daemon)
{
    daemon->clients = (struct clients){
        .loop = daemon->loop,
        .router = daemon->router,
        .logger = &daemon->log.logger,
        .conf = daemon->conf,
        .rules = daemon->rules,
        .tokens = daemon->tokens,
        .max = daemon->clients.max,
        .left = client_left,
        .context = daemon,
    };
    clients_init(&daemon->clients);
    for (size_t i = 0; i < daemon->listener_count; i++)
        listener_start(daemon->listeners[i], &daemon->clients);
    sd_notify(0, "READY=1");
}

static void release(struct daemon *daemon)
{
    struct router *router = daemon->router;
    daemon->router = NULL; /* a signal may still come */
    close_listeners(daemon);
    free(daemon->listeners);
    router_free(router);
    rules_free(daemon->rules);
    tokens_close(daemon->tokens);
    transports_close(&daemon->transports);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (daemon->signals[i])
            event_free(daemon->signals[i]);
    }
    event_free(daemon->trim);
    event_base_free(daemon->loop);
}

enum daemon_exit daemon_run(const struct conf *conf, const char *file)
{
    struct daemon daemon = {.conf = conf, .file = file};
    enum daemon_exit result = DAEMON_MISCONFIGURED;
    log_open(&daemon.log, conf->log.level, conf->log.format);
    forbid_core_dumps();
    daemon.clients.max = raise_descriptor_limit(&daemon);
    daemon.loop = event_base_new();
    if (!daemon.loop || watch_signals(&daemon) != 0)
        abort();
    daemon.trim = memory_trim_new(daemon.loop);
    bool is_right = open_access(&daemon) == 0;
    if (is_right && open_listeners(&daemon) != 0) {
        result = DAEMON_NOT_BOUND;
    } else if (is_right && open_upstreams(&daemon) == 0) {
        start(&daemon);
        event_base_dispatch(daemon.loop);
        clients_free(&daemon.clients);
        result = DAEMON_DRAINED;
    }
    release(&daemon);
    return result;
}
