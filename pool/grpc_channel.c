/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/grpc_channel.h"

#include <errno.h>
#include <grpc/grpc_security.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/tls.h"

#define SYSTEM_CA_FILE    "/etc/ssl/certs/ca-certificates.crt" /* of Debian's ca-certificates */
#define PEM_MAX           (4u << 20)
#define KEEPALIVE_TIMEOUT 10000      /* ms until a ping without an answer ends the connection */
#define BACKOFF_FIRST     200        /* ms */
#define BACKOFF_MAX       10000      /* ms */
#define METADATA_MAX      (64 << 10) /* bytes, of a server: error texts may be long */
#define TARGET_MAX        512
#define ARGS_MAX          24

struct args {
    grpc_arg items[ARGS_MAX];
    size_t count;
};

static void set_integer(struct args *args, const char *key, int64_t value)
{
    int fits = value > INT32_MAX ? INT32_MAX : (int)value;
    args->items[args->count++] =
        (grpc_arg){.type = GRPC_ARG_INTEGER, .key = (char *)key, .value.integer = fits};
}

static void set_text(struct args *args, const char *key, const char *value)
{
    args->items[args->count++] =
        (grpc_arg){.type = GRPC_ARG_STRING, .key = (char *)key, .value.string = (char *)value};
}

/* Keys and meanings: grpc/impl/codegen/grpc_types.h of gRPC 1.51. BDP probing would widen the
 * windows of a connection to 4 MiB (its flow_control.cc); that much of each reply that waits would
 * be held. */
static void set_all(struct args *args, const struct conf_upstream *to, uint32_t max_message)
{
    set_text(args, GRPC_ARG_PRIMARY_USER_AGENT_STRING, "milvus-bouncer/" MVB_VERSION);
    set_integer(args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1); /* a connection of its own */
    set_integer(args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    set_integer(args, GRPC_ARG_ENABLE_RETRIES, 0); /* the pool's, and they cost memory a message */
    set_integer(args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    set_integer(args, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, (int64_t)max_message + BUFSIZ);
    set_integer(args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, max_message);
    set_integer(args, GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX);
    set_integer(args, GRPC_ARG_HTTP2_BDP_PROBE, 0);
    set_integer(args, GRPC_ARG_KEEPALIVE_TIME_MS, to->keepalive);
    set_integer(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT);
    set_integer(args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    set_integer(args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    set_integer(args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, BACKOFF_FIRST);
    set_integer(args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, to->connect_timeout);
    set_integer(args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, BACKOFF_MAX);
}

/* Of TLS and of :authority, as the channel itself knows the address alone. */
static void set_names(struct args *args, const struct conf_upstream *to,
                      const struct endpoint *endpoint, const char *authority)
{
    const char *name = to->tls.server_name ? to->tls.server_name : endpoint->host;
    if (to->secure)
        set_text(args, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG, name);
    set_text(args, GRPC_ARG_DEFAULT_AUTHORITY, to->tls.server_name ? name : authority);
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

/* NULL and *ret_error when it cannot be read. */
static char *read_file(const char *name, char **ret_error)
{
    FILE *file = fopen(name, "rbe");
    char *text = file ? calloc(1, PEM_MAX + 1) : NULL;
    bool whole = text && fread(text, 1, PEM_MAX, file) < PEM_MAX && !ferror(file);
    const char *why = file ? "it cannot be read, or is too large" : strerror(errno);
    if (file)
        fclose(file);
    if (whole)
        return text;
    wipe(text);
    if (asprintf(ret_error, "%s: %s", name, why) < 0)
        abort();
    return NULL;
}

/* OpenSSL says what is wrong with them, where C core does not. */
static bool are_sound(const struct conf_tls *conf, char **ret_error)
{
    struct tls *tls = tls_new(conf, ret_error);
    tls_free(tls);
    return tls != NULL;
}

/* As OpenSSL has it, whose variable may name another file for the whole system. */
static const char *ca_file(const struct conf_tls *tls)
{
    const char *system = secure_getenv(X509_get_default_cert_file_env());
    if (tls->ca_file || system)
        return tls->ca_file ? tls->ca_file : system;
    return access(SYSTEM_CA_FILE, R_OK) == 0 ? SYSTEM_CA_FILE : NULL;
}

static grpc_channel_credentials *tls_credentials(const struct conf_tls *tls, char **ret_error)
{
    grpc_channel_credentials *credentials = NULL;
    char *roots = NULL;
    char *certificate = NULL;
    char *key = NULL;
    if (!are_sound(tls, ret_error))
        return NULL;
    if (ca_file(tls) && !(roots = read_file(ca_file(tls), ret_error)))
        goto out;
    if (tls->cert_file && !(certificate = read_file(tls->cert_file, ret_error)))
        goto out;
    if (tls->key_file && !(key = read_file(tls->key_file, ret_error)))
        goto out;
    grpc_ssl_pem_key_cert_pair pair = {.private_key = key, .cert_chain = certificate};
    credentials = grpc_ssl_credentials_create(roots, key ? &pair : NULL, NULL, NULL);
out:
    wipe(key);
    free(certificate);
    free(roots);
    return credentials;
}

grpc_channel *grpc_channel_open(const struct conf_upstream *to, const struct endpoint *endpoint,
                                uint32_t max_message, char **ret_error)
{
    char address[ENDPOINT_TEXT_MAX];
    char target[TARGET_MAX];
    char authority[TARGET_MAX];
    bool ipv6 = strchr(endpoint->host, ':') != NULL;
    endpoint_text(endpoint, address);
    snprintf(target, sizeof(target), "%s:%s",
             endpoint->address.ss_family == AF_INET6 ? "ipv6" : "ipv4", address);
    snprintf(authority, sizeof(authority), ipv6 ? "[%s]:%u" : "%s:%u", endpoint->host,
             endpoint->port);
    grpc_channel_credentials *credentials =
        to->secure ? tls_credentials(&to->tls, ret_error) : grpc_insecure_credentials_create();
    if (!credentials)
        return NULL;
    struct args args = {.count = 0};
    set_all(&args, to, max_message);
    set_names(&args, to, endpoint, authority);
    grpc_channel_args channel_args = {.num_args = args.count, .args = args.items};
    grpc_channel *channel = grpc_channel_create(target, credentials, &channel_args);
    grpc_channel_credentials_release(credentials);
    return channel;
}
