/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody may have meant by a word that is not known. */
#ifndef CONF_SUGGEST_H
#define CONF_SUGGEST_H

/* The nearest of the words, whose array ends in NULL, or NULL when none is near: at most a third of
 * the longer one's letters are wrong, missing, too many or swapped with their neighbour. Case does
 * not count. The first of equally near ones is taken. */
const char *suggest_nearest(const char *word, const char *const *words);

#endif
