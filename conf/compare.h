/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two configurations, so that a reload can name what it does not take over. */
#ifndef CONF_COMPARE_H
#define CONF_COMPARE_H

#include "conf/conf.h"

/* Of a longer name the end is cut. */
#define COMPARE_NAME_MAX 512

/*
 * Calls differs() for each key with another value, and each entry that only one of them has, by its
 * name: "limits.max_clients", "upstreams.main.keepalive", "databases.books". A list is one value.
 * Of "uri" only the scheme counts; other uris are what a reload takes over.
 */
void conf_compare(const struct conf *running, const struct conf *read,
                  void (*differs)(void *context, const char *name), void *context);

#endif
