/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file may be another than it was: written to, renamed into place, or behind a symbolic
 * link that leads elsewhere by now, as Kubernetes and systemd change theirs. By stat(2), which
 * works on every file system and needs no watch that could be lost.
 */
#ifndef CONF_STAMP_H
#define CONF_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
    bool is_young; /* it may be written to without a trace: clocks of file systems are coarse */
};

/* What the file looks like; all zeros if that cannot be seen. To be taken before it is read. */
struct stamp stamp_take(const char *path);

/* Whether the file is certainly what it was when the stamp was taken. */
bool stamp_holds(const struct stamp *stamp, const char *path);

#endif
