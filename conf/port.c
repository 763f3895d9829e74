/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/port.h"

#include <string.h>

#define PORT_DIGITS 5

int port_parse(const char *text, uint16_t *ret_port)
{
    size_t length = strspn(text, "0123456789");
    if (length == 0 || length > PORT_DIGITS || text[length] != '\0')
        return -1;
    uint32_t port = 0;
    for (size_t i = 0; i < length; i++)
        port = port * 10 + (uint32_t)(text[i] - '0');
    if (port > UINT16_MAX)
        return -1;
    *ret_port = (uint16_t)port;
    return 0;
}
