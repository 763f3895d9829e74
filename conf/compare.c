/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/compare.h"

#include <string.h>

#include "conf/schema.h"

/* One walk through both. */
struct comparison {
    void (*differs)(void *context, const char *name);
    void *context;
    char name[COMPARE_NAME_MAX]; /* of the section it is in, a dot behind it */
    size_t length;
};

/* Whether the values of a key are the same, in two structs of its section. */
typedef bool same_function(const struct schema_key *key, const void *a, const void *b);

static const void *field(const struct schema_key *key, const void *section)
{
    return (const char *)section + key->offset;
}

static bool same_duration(const struct schema_key *key, const void *a, const void *b)
{
    return memcmp(field(key, a), field(key, b), sizeof(int64_t)) == 0;
}

static bool same_number(const struct schema_key *key, const void *a, const void *b)
{
    _Static_assert(sizeof(mode_t) == sizeof(uint32_t) && sizeof(unsigned) == sizeof(uint32_t) &&
                       sizeof(enum log_level) == sizeof(uint32_t),
                   "counts, modes, bits and words have the same size");
    return memcmp(field(key, a), field(key, b), sizeof(uint32_t)) == 0;
}

static bool same_flag(const struct schema_key *key, const void *a, const void *b)
{
    return *(const bool *)field(key, a) == *(const bool *)field(key, b);
}

static bool same_text(const struct schema_key *key, const void *a, const void *b)
{
    const char *of_a = *(const char *const *)field(key, a);
    const char *of_b = *(const char *const *)field(key, b);
    return of_a && of_b ? strcmp(of_a, of_b) == 0 : of_a == of_b;
}

static bool same_array(const char *const *a, size_t count_of_a, const char *const *b,
                       size_t count_of_b)
{
    bool same = count_of_a == count_of_b;
    for (size_t i = 0; same && i < count_of_a; i++)
        same = strcmp(a[i], b[i]) == 0;
    return same;
}

static bool same_address(const struct schema_key *key, const void *a, const void *b)
{
    const struct address *of_a = field(key, a);
    const struct address *of_b = field(key, b);
    return strcmp(of_a->text, of_b->text) == 0;
}

static bool same_upstream(const struct schema_key *key, const void *a, const void *b)
{
    (void)key;
    const struct conf_database *of_a = a;
    const struct conf_database *of_b = b;
    return strcmp(of_a->upstream->name, of_b->upstream->name) == 0;
}

static bool same_scheme(const struct schema_key *key, const void *a, const void *b)
{
    (void)key;
    return ((const struct conf_upstream *)a)->secure == ((const struct conf_upstream *)b)->secure;
}

static size_t count_of(const struct schema_key *key, const void *section)
{
    size_t count;
    memcpy(&count, (const char *)section + key->count_offset, sizeof(count));
    return count;
}

static bool same_texts(const struct schema_key *key, const void *a, const void *b)
{
    return same_array(*(const char *const *const *)field(key, a), count_of(key, a),
                      *(const char *const *const *)field(key, b), count_of(key, b));
}

static bool same_rights(const struct schema_key *key, const void *a, const void *b)
{
    const struct conf_rights *of_a = field(key, a);
    const struct conf_rights *of_b = field(key, b);
    return of_a->classes == of_b->classes &&
           same_array(of_a->methods, of_a->method_count, of_b->methods, of_b->method_count);
}

static const char *item_of(const struct schema_key *key, const void *section, size_t at)
{
    const char *items;
    memcpy(&items, field(key, section), sizeof(items));
    return items + at * key->section->size;
}

static same_function *const same_functions[];

static bool same_section(const struct schema_section *section, const void *a, const void *b)
{
    bool same = true;
    for (size_t i = 0; same && i < section->count; i++) {
        const struct schema_key *key = &section->keys[i];
        same = !schema_is_taken(key) || same_functions[key->type](key, a, b);
    }
    return same;
}

static bool same_nested(const struct schema_key *key, const void *a, const void *b)
{
    return same_section(key->section, field(key, a), field(key, b));
}

static bool same_list(const struct schema_key *key, const void *a, const void *b)
{
    bool same = count_of(key, a) == count_of(key, b);
    for (size_t i = 0; same && i < count_of(key, a); i++)
        same = same_section(key->section, item_of(key, a, i), item_of(key, b, i));
    return same;
}

static same_function *const same_functions[] = {
    [SCHEMA_DURATION] = same_duration,  [SCHEMA_SIZE] = same_number,
    [SCHEMA_COUNT] = same_number,       [SCHEMA_MODE] = same_number,
    [SCHEMA_WORD] = same_number,        [SCHEMA_TEXT] = same_text,
    [SCHEMA_REFERENCE] = same_upstream, [SCHEMA_FILE] = same_text,
    [SCHEMA_SECRET_FILE] = same_text,   [SCHEMA_ADDRESS] = same_address,
    [SCHEMA_URIS] = same_scheme,        [SCHEMA_PROTOCOLS] = same_number,
    [SCHEMA_LIST] = same_list,          [SCHEMA_FLAG] = same_flag,
    [SCHEMA_TEXTS] = same_texts,        [SCHEMA_RIGHTS] = same_rights,
    [SCHEMA_SECTION] = same_nested,
};

static size_t enter(struct comparison *comparison, const char *name)
{
    size_t before = comparison->length;
    size_t room = sizeof(comparison->name) - before;
    int length = snprintf(comparison->name + before, room, "%s.", name);
    comparison->length += (size_t)length < room ? (size_t)length : room - 1;
    return before;
}

static void leave(struct comparison *comparison, size_t before)
{
    comparison->length = before;
    comparison->name[before] = '\0';
}

static void tell(struct comparison *comparison, const char *name)
{
    size_t before = enter(comparison, name);
    if (comparison->name[comparison->length - 1] == '.')
        comparison->name[comparison->length - 1] = '\0';
    comparison->differs(comparison->context, comparison->name);
    leave(comparison, before);
}

static void compare_sections(struct comparison *comparison, const struct schema_section *section,
                             const void *a, const void *b);

static const char *name_at(const struct schema_key *key, const void *section, size_t at)
{
    return *(const char *const *)(const void *)item_of(key, section, at);
}

/* The entry of that name, or NULL. */
static const char *find_item(const struct schema_key *key, const void *section, const char *name)
{
    for (size_t i = 0; i < count_of(key, section); i++) {
        if (strcmp(name_at(key, section, i), name) == 0)
            return item_of(key, section, i);
    }
    return NULL;
}

static void compare_maps(struct comparison *comparison, const struct schema_key *key, const void *a,
                         const void *b)
{
    size_t before = enter(comparison, key->name);
    for (size_t i = 0; i < count_of(key, a); i++) {
        const char *name = name_at(key, a, i);
        const char *other = find_item(key, b, name);
        if (!other) {
            tell(comparison, name);
            continue;
        }
        size_t at = enter(comparison, name);
        compare_sections(comparison, key->section, item_of(key, a, i), other);
        leave(comparison, at);
    }
    for (size_t i = 0; i < count_of(key, b); i++) {
        if (!find_item(key, a, name_at(key, b, i)))
            tell(comparison, name_at(key, b, i));
    }
    leave(comparison, before);
}

static const struct conf_method_timeout *find_method(const struct conf_database *database,
                                                     const char *method)
{
    for (size_t i = 0; i < database->method_timeout_count; i++) {
        if (strcmp(database->method_timeouts[i].method, method) == 0)
            return &database->method_timeouts[i];
    }
    return NULL;
}

/* Those of `a` that are another or missing in `b`; both is only told of once. */
static void compare_methods(struct comparison *comparison, const struct conf_database *a,
                            const struct conf_database *b, bool missing_only)
{
    for (size_t i = 0; i < a->method_timeout_count; i++) {
        const struct conf_method_timeout *method = &a->method_timeouts[i];
        const struct conf_method_timeout *other = find_method(b, method->method);
        if (!other || (!missing_only && other->timeout != method->timeout))
            tell(comparison, method->method);
    }
}

static void compare_nested(struct comparison *comparison, const struct schema_key *key,
                           const void *a, const void *b)
{
    size_t before = enter(comparison, key->name);
    compare_sections(comparison, key->section, field(key, a), field(key, b));
    if (key->section->methods) {
        compare_methods(comparison, a, b, false);
        compare_methods(comparison, b, a, true);
    }
    leave(comparison, before);
}

/* A database without credentials of its own shows the upstream's, which are told of there. */
static bool is_inherited(const struct schema_section *section, const struct schema_key *key,
                         const void *a, const void *b)
{
    size_t start = offsetof(struct conf_database, credential);
    if (!schema_find(section, "upstream"))
        return false; /* it is no database's */
    return key->offset >= start && key->offset < start + sizeof(struct conf_credential) &&
           !((const struct conf_database *)a)->own_credential &&
           !((const struct conf_database *)b)->own_credential;
}

static void compare_key(struct comparison *comparison, const struct schema_key *key, const void *a,
                        const void *b)
{
    if (key->type == SCHEMA_SECTION)
        compare_nested(comparison, key, a, b);
    else if (key->type == SCHEMA_MAP)
        compare_maps(comparison, key, a, b);
    else if (!same_functions[key->type](key, a, b))
        tell(comparison, key->name);
}

static void compare_sections(struct comparison *comparison, const struct schema_section *section,
                             const void *a, const void *b)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct schema_key *key = &section->keys[i];
        if (schema_is_taken(key) && !key->is_about_uris && !is_inherited(section, key, a, b))
            compare_key(comparison, key, a, b);
    }
}

void conf_compare(const struct conf *running, const struct conf *read,
                  void (*differs)(void *context, const char *name), void *context)
{
    struct comparison comparison = {.differs = differs, .context = context};
    compare_sections(&comparison, &schema_file, running, read);
}
