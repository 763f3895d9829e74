/* SPDX-License-Identifier: Apache-2.0 */
/* The uris of an upstream: one, or a list of them. */
#ifndef CONF_URIS_H
#define CONF_URIS_H

#include "conf/scalar.h"

/* Into uri, hosts, host_count and secure of the struct conf_upstream; with a fault none is set. */
read_function uris_read;

#endif
