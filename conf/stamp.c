/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/stamp.h"

#include <time.h>

#define COARSEST 2 /* s between two times that some file system tells apart */

struct stamp stamp_take(const char *path)
{
    struct stat status;
    struct timespec now;
    if (stat(path, &status) != 0)
        return (struct stamp){0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct stamp){
        .device = status.st_dev,
        .inode = status.st_ino,
        .size = status.st_size,
        .changed = status.st_ctim,
        .is_young = status.st_ctim.tv_sec + COARSEST >= now.tv_sec,
    };
}

bool stamp_holds(const struct stamp *stamp, const char *path)
{
    struct stamp now = stamp_take(path);
    return !stamp->is_young && stamp->device == now.device && stamp->inode == now.inode &&
           stamp->size == now.size && stamp->changed.tv_sec == now.changed.tv_sec &&
           stamp->changed.tv_nsec == now.changed.tv_nsec;
}
