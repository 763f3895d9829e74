/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/socket_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether it is a socket on which nobody listens: only then connecting is refused. */
static bool is_stale(const struct address *address)
{
    struct stat status;
    if (stat(address_path(address), &status) != 0 || !S_ISSOCK(status.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int result = connect(fd, (const struct sockaddr *)&address->sockaddr, address->length);
    bool refused = result != 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int bind_to(int fd, const struct address *address)
{
    return bind(fd, (const struct sockaddr *)&address->sockaddr, address->length);
}

static int set_access(const char *path, const struct conf_listener *conf)
{
    if (conf->gid != (gid_t)-1 && chown(path, (uid_t)-1, conf->gid) != 0)
        return -1;
    if (conf->mode != CONF_MODE_UNSET && chmod(path, conf->mode) != 0)
        return -1;
    return 0;
}

int socket_file_bind(struct socket_file *file, int fd, const struct conf_listener *conf)
{
    const char *path = address_path(&conf->address);
    struct stat status;
    int result = bind_to(fd, &conf->address);
    if (result != 0 && errno == EADDRINUSE) {
        if (!is_stale(&conf->address)) {
            errno = EADDRINUSE;
            return -1;
        }
        unlink(path);
        result = bind_to(fd, &conf->address);
    }
    if (result != 0 || stat(path, &status) != 0)
        return -1;
    *file = (struct socket_file){.path = path,
                                 .has_group = conf->gid != (gid_t)-1,
                                 .device = status.st_dev,
                                 .inode = status.st_ino};
    return set_access(path, conf);
}

int socket_file_give(const struct socket_file *file, uid_t uid, gid_t gid)
{
    return file->path ? lchown(file->path, uid, file->has_group ? (gid_t)-1 : gid) : 0;
}

bool socket_file_removable(const struct socket_file *file)
{
    if (!file->path)
        return true;
    char folder[ADDRESS_TEXT_MAX];
    const char *slash = strrchr(file->path, '/'); /* the path is absolute */
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - file->path) + 1, file->path);
    return access(folder, W_OK | X_OK) == 0;
}

void socket_file_remove(struct socket_file *file)
{
    struct stat status;
    if (file->path && stat(file->path, &status) == 0 && status.st_dev == file->device &&
        status.st_ino == file->inode)
        unlink(file->path);
    file->path = NULL;
}
