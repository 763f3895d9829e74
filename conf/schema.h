/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of the configuration file and their rules, as a table. conf/reader.c walks it; what
 * concerns several keys at once stands in conf/resolve.c.
 */
#ifndef CONF_SCHEMA_H
#define CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {                     /* the field at `offset`: */
                   SCHEMA_DURATION,    /* int64_t, ms */
                   SCHEMA_SIZE,        /* uint32_t, bytes */
                   SCHEMA_COUNT,       /* uint32_t */
                   SCHEMA_MODE,        /* mode_t */
                   SCHEMA_WORD,        /* enum, the word's place in `words` */
                   SCHEMA_FLAG,        /* bool */
                   SCHEMA_TEXT,        /* const char * */
                   SCHEMA_TEXTS,       /* const char *const *, their number at `count_offset` */
                   SCHEMA_REFERENCE,   /* none; a text, which conf/resolve.c looks up:
                                          conf_database.upstream */
                   SCHEMA_FILE,        /* const char *, resolved; it can be read */
                   SCHEMA_SECRET_FILE, /* the same, looked for in $CREDENTIALS_DIRECTORY first */
                   SCHEMA_ADDRESS,     /* struct address */
                   SCHEMA_URIS,        /* none; the struct is conf_upstream: uri, hosts, secure */
                   SCHEMA_PROTOCOLS,   /* unsigned, a bit a word; list of words */
                   SCHEMA_RIGHTS,      /* struct conf_rights; list of words and names of RPCs */
                   SCHEMA_SECTION,     /* the struct of `section` */
                   SCHEMA_LIST,  /* pointer to structs of `section`, their number at `count_offset`
                                  */
                   SCHEMA_MAP,   /* the same, each struct opens with its name, const char * */
                   SCHEMA_LATER, /* none; known, but of a later version */
                   SCHEMA_MISPLACED_SECRET /* none; what people try before they find the key named
                                              in `hint` */
};

struct schema_key {
    const char *name;
    enum schema_type type;
    size_t offset; /* in the section's struct */
    size_t count_offset;
    int64_t minimum; /* of numbers, both included */
    int64_t maximum;
    const char *fallback;     /* as it would be written; NULL: the field stays zero */
    const char *const *words; /* ended by NULL */
    const struct schema_section *section;
    const char *hint; /* of a required key: what to write */
    bool required;
    bool is_about_uris; /* is taken over with them by a reload */
};

struct schema_section {
    const struct schema_key *keys;
    size_t count;
    size_t size;      /* bytes of its struct */
    bool methods;     /* other keys are names of RPCs with durations; the struct is conf_database */
    const char *sole; /* the key that a value in place of the section is for; NULL: none */
};

/* The whole file; its struct is struct conf. */
extern const struct schema_section schema_file;

/* The key of that name, or NULL. */
const struct schema_key *schema_find(const struct schema_section *section, const char *name);

/* Whether a value of this type is taken now. */
bool schema_is_taken(const struct schema_key *key);

#endif
