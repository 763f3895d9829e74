/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the files of an upstream's TLS are what they were when they were read. */
#ifndef POOL_TLS_FILES_H
#define POOL_TLS_FILES_H

#include "conf/conf.h"
#include "conf/stamp.h"

struct tls_files {
    struct stamp ca;
    struct stamp cert;
    struct stamp key;
};

/* To be taken before they are read. */
struct tls_files tls_files_take(const struct conf_tls *conf);

bool tls_files_hold(const struct tls_files *files, const struct conf_tls *conf);

#endif
