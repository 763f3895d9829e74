/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/tls_files.h"

static struct stamp take(const char *name)
{
    return name ? stamp_take(name) : (struct stamp){0};
}

static bool holds(const struct stamp *stamp, const char *name)
{
    return !name || stamp_holds(stamp, name);
}

struct tls_files tls_files_take(const struct conf_tls *conf)
{
    return (struct tls_files){
        .ca = take(conf->ca_file), .cert = take(conf->cert_file), .key = take(conf->key_file)};
}

bool tls_files_hold(const struct tls_files *files, const struct conf_tls *conf)
{
    return holds(&files->ca, conf->ca_file) && holds(&files->cert, conf->cert_file) &&
           holds(&files->key, conf->key_file);
}
