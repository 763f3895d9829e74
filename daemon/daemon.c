/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/client.h"
#include "daemon/front_grpc.h"
#include "daemon/listeners.h"
#include "daemon/log.h"
#include "daemon/memory.h"
#include "daemon/process.h"
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
    struct listeners listeners;
};

static void end_if_drained(struct daemon *daemon)
{
    if (daemon->clients.draining && daemon->clients.count == 0)
        event_base_loopbreak(daemon->loop);
}

static void client_left(void *context)
{
    struct daemon *daemon = context;
    listeners_clients_left(&daemon->listeners);
    memory_clients_left(daemon->trim);
    end_if_drained(daemon);
}

static void end_by(struct daemon *daemon, int number)
{
    listeners_close(&daemon->listeners);
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
    listeners_close(&daemon->listeners);
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

/* ---- whom the process becomes ---- */

static int check_user(struct daemon *daemon)
{
    const struct conf *conf = daemon->conf;
    if (process_can_become(conf))
        return 0;
    log_error(&daemon->log.logger,
              "%s:%u:%u: \"user\": only root becomes %s; start it as root, or as %s", daemon->file,
              conf->user.place.line, conf->user.place.column, conf->user.name, conf->user.name);
    return -1;
}

/* Listeners are bound, and secrets read. */
static int become_user(struct daemon *daemon)
{
    const struct conf *conf = daemon->conf;
    struct logger *logger = &daemon->log.logger;
    if (!conf->user.name && geteuid() == 0)
        log_warning(logger, "it runs as root; name another user by \"user\", or start it as one");
    if (!process_must_become(conf))
        return 0;
    if (listeners_give(&daemon->listeners, conf->user.uid, conf->user.gid) != 0 ||
        !process_become(conf)) {
        log_error(logger, "cannot become %s: %s", conf->user.name, strerror(errno));
        return -1;
    }
    log_info(logger, "it runs as %s now", conf->user.name);
    process_warn(conf, daemon->file, logger);
    listeners_warn(&daemon->listeners, logger);
    return 0;
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
    listeners_start(&daemon->listeners, &daemon->clients);
    sd_notify(0, "READY=1");
}

static void release(struct daemon *daemon)
{
    struct router *router = daemon->router;
    daemon->router = NULL; /* a signal may still come */
    listeners_close(&daemon->listeners);
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

/* All that may fail. DAEMON_DRAINED: nothing has. */
static enum daemon_exit set_up(struct daemon *daemon)
{
    if (check_user(daemon) != 0 || open_access(daemon) != 0)
        return DAEMON_MISCONFIGURED;
    enum daemon_exit result = listeners_open(&daemon->listeners, daemon->conf, &daemon->log.logger);
    if (result == DAEMON_DRAINED && (open_upstreams(daemon) != 0 || become_user(daemon) != 0))
        result = DAEMON_MISCONFIGURED;
    return result;
}

enum daemon_exit daemon_run(const struct conf *conf, const char *file)
{
    struct daemon daemon = {.conf = conf, .file = file};
    log_open(&daemon.log, conf->log.level, conf->log.format);
    daemon.clients.max = raise_descriptor_limit(&daemon);
    daemon.loop = event_base_new();
    if (!daemon.loop || watch_signals(&daemon) != 0)
        abort();
    daemon.trim = memory_trim_new(daemon.loop);
    enum daemon_exit result = set_up(&daemon);
    if (result == DAEMON_DRAINED) {
        start(&daemon);
        event_base_dispatch(daemon.loop);
        clients_free(&daemon.clients);
    }
    release(&daemon);
    return result;
}
