/* SPDX-License-Identifier: Apache-2.0 */
/* The port of an address or a URI, in decimal. */
#ifndef CONF_PORT_H
#define CONF_PORT_H

#include <stdint.h>

/* Reads 0 to 65535, digits only. 0 or -1; *ret_port is untouched on failure. */
int port_parse(const char *text, uint16_t *ret_port) __attribute__((warn_unused_result));

#endif
