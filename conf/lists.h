/* SPDX-License-Identifier: Apache-2.0 */
/* The reader's lists of single values. One value may stand without the brackets of a list. */
#ifndef CONF_LISTS_H
#define CONF_LISTS_H

#include "conf/scalar.h"

/* By the key's type; see enum schema_type for the fields of each. */
read_function lists_texts;
read_function lists_rights;

#endif
