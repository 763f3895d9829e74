/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/files.h"
#include "conf/reader.h"
#include "conf/resolve.h"

#define FILE_MAX_BYTES (1024 * 1024)

/* Reads and checks the tree, NULL when there is none. Takes the arena over. */
static int finish(struct arena *arena, const char *path, struct tree_node *root,
                  struct conf **ret_conf, struct conf_faults *faults)
{
    struct conf *conf = arena_take(arena, 1, sizeof(*conf));
    conf->memory = arena;
    if (root)
        reader_read(arena, faults, files_folder(arena, path), root, conf);
    if (root && !root->faulty)
        resolve(arena, faults, root, conf);
    if (faults->count > 0) {
        conf_free(conf);
        return -1;
    }
    *ret_conf = conf;
    return 0;
}

static int parse(const char *path, const char *text, size_t length, struct conf **ret_conf,
                 struct conf_faults *faults)
{
    struct arena *arena = arena_new();
    struct tree_node *root = tree_parse(arena, text, length, faults);
    return finish(arena, path, root, ret_conf, faults);
}

static void report_too_large(struct conf_faults *faults, const char *path)
{
    faults_add(faults, (struct mark){0}, "%s: a configuration is at most 1 MiB; is it this file?",
               path);
}

int conf_parse(const char *path, const char *text, size_t length, struct conf **ret_conf,
               struct conf_faults *ret_faults)
{
    *ret_faults = (struct conf_faults){0};
    if (length > FILE_MAX_BYTES) {
        report_too_large(ret_faults, path);
        return -1;
    }
    return parse(path, text, length, ret_conf, ret_faults);
}

/* Reads up to `limit` bytes. Their number, or -1 with errno set. */
static ssize_t read_up_to(int file, char *to, size_t limit)
{
    size_t length = 0;
    while (length < limit) {
        ssize_t got = read(file, to + length, limit - length);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            length += (size_t)got;
    }
    return (ssize_t)length;
}

/* The same for a file by its name. One byte more than the limit tells a file that is too large. */
static ssize_t read_file(const char *path, char *to, size_t limit)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    ssize_t length = read_up_to(file, to, limit);
    int error = errno;
    close(file);
    errno = error;
    return length;
}

int conf_load(const char *path, struct conf **ret_conf, struct conf_faults *ret_faults)
{
    *ret_faults = (struct conf_faults){0};
    char *text = malloc(FILE_MAX_BYTES + 1);
    ssize_t length = text ? read_file(path, text, FILE_MAX_BYTES + 1) : -1;
    if (length < 0) {
        faults_add(ret_faults, (struct mark){0}, "cannot read %s: %s", path,
                   strerrordesc_np(errno));
        free(text);
        return -1;
    }
    int result = conf_parse(path, text, (size_t)length, ret_conf, ret_faults);
    free(text);
    return result;
}

static struct tree_node *text_of(struct arena *arena, const char *argument, const char *text)
{
    struct tree_node *node = tree_text(arena, (struct mark){.argument = argument},
                                       arena_text(arena, text, strlen(text)));
    node->quoted = true;
    return node;
}

/* Adds "key: value". */
static void set(struct arena *arena, struct tree_node *map, const char *key,
                struct tree_node *value)
{
    tree_append(arena, map, text_of(arena, NULL, key), value);
}

static struct tree_node *listen_list(struct arena *arena, const char *const *listen, size_t count)
{
    struct tree_node *list = tree_new(arena, (struct mark){0}, TREE_LIST);
    for (size_t i = 0; i < count; i++) {
        struct tree_node *item = tree_new(arena, (struct mark){0}, TREE_MAP);
        set(arena, item, "address", text_of(arena, "--listen", listen[i]));
        tree_append(arena, list, NULL, item);
    }
    return list;
}

/* "main: {uri: URI, token_file: FILE, allow_plaintext: true}". */
static struct tree_node *upstream_map(struct arena *arena, const char *uri, const char *token_file,
                                      bool allow_plaintext)
{
    struct tree_node *upstream = tree_new(arena, (struct mark){0}, TREE_MAP);
    struct tree_node *upstreams = tree_new(arena, (struct mark){0}, TREE_MAP);
    set(arena, upstream, "uri", text_of(arena, "--upstream", uri));
    if (token_file)
        set(arena, upstream, "token_file", text_of(arena, "--token-file", token_file));
    if (allow_plaintext)
        set(arena, upstream, "allow_plaintext",
            tree_text(arena, (struct mark){.argument = "--allow-plaintext"}, "true"));
    set(arena, upstreams, "main", upstream);
    return upstreams;
}

/* "'*': {upstream: main}". */
static struct tree_node *database_map(struct arena *arena)
{
    struct tree_node *database = tree_new(arena, (struct mark){0}, TREE_MAP);
    struct tree_node *databases = tree_new(arena, (struct mark){0}, TREE_MAP);
    set(arena, database, "upstream", text_of(arena, NULL, "main"));
    set(arena, databases, "*", database);
    return databases;
}

int conf_from_arguments(const char *uri, const char *token_file, bool allow_plaintext,
                        const char *const *listen, size_t listen_count, struct conf **ret_conf,
                        struct conf_faults *ret_faults)
{
    *ret_faults = (struct conf_faults){0};
    struct arena *arena = arena_new();
    struct tree_node *root = tree_new(arena, (struct mark){0}, TREE_MAP);
    if (listen_count > 0)
        set(arena, root, "listen", listen_list(arena, listen, listen_count));
    set(arena, root, "upstreams", upstream_map(arena, uri, token_file, allow_plaintext));
    set(arena, root, "databases", database_map(arena));
    return finish(arena, "", root, ret_conf, ret_faults);
}

void conf_free(struct conf *conf)
{
    if (conf)
        arena_free(conf->memory);
}
