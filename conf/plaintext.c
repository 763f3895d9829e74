/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/plaintext.h"

#include "conf/uri.h"

static void report(struct conf_faults *faults, const struct tree_node *node,
                   const struct conf_host *host)
{
    const char *consent =
        node->mark.argument ? "add --allow-plaintext" : "\"allow_plaintext: true\" beside it";
    faults_about(faults, node->mark, "uri",
                 ": %s is another host, and credentials can be read on the way there; write "
                 "https://, or %s if that network is trusted",
                 host->text, consent);
}

void plaintext_check(struct conf_faults *faults, const struct tree_node *map,
                     const struct conf_upstream *upstream)
{
    const struct tree_node *uri = tree_find(map, "uri");
    const struct tree_node *consent = tree_find(map, "allow_plaintext");
    bool is_consent_unclear = consent && consent->faulty;
    if (upstream->secure || upstream->allow_plaintext || is_consent_unclear)
        return;
    /* Without a fault, so each entry of the list is a host. */
    const struct tree_entry *entry = uri && uri->kind == TREE_LIST ? uri->entries : NULL;
    for (size_t i = 0; i < upstream->host_count; i++, entry = entry ? entry->next : NULL) {
        if (uri_is_this_host(upstream->hosts[i].host))
            continue;
        report(faults, entry ? entry->value : uri, &upstream->hosts[i]);
        return;
    }
}
