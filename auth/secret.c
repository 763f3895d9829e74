/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/files.h"

bool secret_take(struct secret *secret, size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (length / page + 1) * page;
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return false;
    (void)!mlock(pages, size);
    madvise(pages, size, MADV_DONTDUMP);
    *secret = (struct secret){.bytes = pages, .length = length, .size = size};
    return true;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return span_equal(span_of(a->bytes, a->length), span_of(b->bytes, b->length));
}

void secret_clear(struct secret *secret)
{
    if (secret->bytes) {
        explicit_bzero(secret->bytes, secret->size);
        munmap(secret->bytes, secret->size);
    }
    *secret = (struct secret){0};
}

static const char *read_bytes(int file, char *to, size_t room, size_t *ret_length)
{
    size_t length = 0;
    while (length < room) {
        ssize_t got = read(file, to + length, room - length);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return strerrordesc_np(errno);
        if (got > 0)
            length += (size_t)got;
    }
    *ret_length = length;
    return NULL;
}

/* Not by stdio, whose buffers nobody wipes. */
const char *secret_read(const char *path, char *to, size_t room, size_t *ret_length)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return strerrordesc_np(errno);
    const char *error =
        fstat(file, &status) == 0 ? files_check_secret(&status) : strerrordesc_np(errno);
    if (!error)
        error = read_bytes(file, to, room, ret_length);
    close(file);
    return error;
}
