/* SPDX-License-Identifier: Apache-2.0 */
/* Plaintext to another host, which takes the operator's consent: what travels there can be read on
 * its way, credentials too. As conf/resolve.h. */
#ifndef CONF_PLAINTEXT_H
#define CONF_PLAINTEXT_H

#include "conf/tree.h"

/* Reports the first uri of the upstream, whose map is given, that is http:// to another host than
 * this one, unless the upstream says allow_plaintext. */
void plaintext_check(struct conf_faults *faults, const struct tree_node *map,
                     const struct conf_upstream *upstream);

#endif
