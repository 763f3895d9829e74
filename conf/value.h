/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as the configuration writes them: 30s, 64MiB, 256, and a mode, 0660. */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct value_unit {
    const char *name;
    int64_t factor;
};

/* Tables of units from the least to the greatest, ended by one without a name. */
extern const struct value_unit value_durations[]; /* ms, s, m, h; in ms */
extern const struct value_unit value_sizes[];     /* KiB, MiB, GiB; in bytes */
extern const struct value_unit value_counts[];    /* no unit */

/* Reads decimal digits with one of the units behind them. 0 needs no unit. 0 or -1; *ret_value is
 * untouched on failure. */
int value_parse(const struct value_unit *units, const char *text, int64_t *ret_value)
    __attribute__((warn_unused_result));

/* Writes the value in the greatest unit that divides it: "5m". */
#define VALUE_TEXT_MAX 32
void value_print(const struct value_unit *units, int64_t value, char text[VALUE_TEXT_MAX]);

/* Reads permissions in octal, "660" or "0660", up to 0777. 0 or -1, as above. */
int value_mode(const char *text, mode_t *ret_mode) __attribute__((warn_unused_result));

#endif
