/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/secret.h"

/* Of the mapping that the address is in, the line of /proc/self/smaps that opens so. */
static void find_line(const void *address, const char *opening, char *to, size_t room)
{
    char line[512];
    bool inside = false;
    FILE *maps = fopen("/proc/self/smaps", "re");
    cr_assert_not_null(maps);
    *to = '\0';
    while (*to == '\0' && fgets(line, sizeof(line), maps)) {
        unsigned long from, until;
        if (sscanf(line, "%lx-%lx ", &from, &until) == 2)
            inside = from <= (unsigned long)address && (unsigned long)address < until;
        if (inside && strncmp(line, opening, strlen(opening)) == 0)
            snprintf(to, room, "%s", line + strlen(opening));
    }
    fclose(maps);
}

static long locked_kib(const struct secret *secret)
{
    char line[512];
    find_line(secret->bytes, "Locked:", line, sizeof(line));
    return atol(line);
}

Test(secret, is_in_pages_of_its_own)
{
    struct secret secret, other;
    char flags[512];
    cr_assert(secret_take(&secret, 10));
    cr_assert(secret_take(&other, 5000));
    cr_expect_eq(secret.length, 10);
    for (size_t i = 0; i < secret.length; i++)
        cr_expect_eq(secret.bytes[i], 0);
    find_line(secret.bytes, "VmFlags:", flags, sizeof(flags));
    cr_expect(strstr(flags, " dd"), "not dumped: %s", flags);
#ifndef __SANITIZE_ADDRESS__ /* which takes mlock() away */
    cr_expect_gt(locked_kib(&secret), 0);
#endif
    memset(other.bytes, 'x', 5000);
    secret_clear(&secret);
    secret_clear(&other);
    cr_expect_null(secret.bytes);
    cr_expect_eq(secret.length, 0);
    secret_clear(&secret);
}

/* Swap is all the same to who has no memory to lock. */
Test(secret, is_kept_where_nothing_may_be_locked)
{
    struct secret secret;
    cr_assert_eq(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}), 0);
    cr_assert(geteuid() != 0 || setuid(65534) == 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* to read /proc/self as another user */
    cr_assert(secret_take(&secret, 10));
    memcpy(secret.bytes, "0123456789", 10);
    cr_expect_eq(locked_kib(&secret), 0);
    secret_clear(&secret);
}

Test(secret, is_compared)
{
    struct secret a, b, none = {0};
    cr_assert(secret_take(&a, 2) && secret_take(&b, 2));
    cr_expect(secret_equal(&a, &b));
    b.bytes[1] = 1;
    cr_expect_not(secret_equal(&a, &b));
    b.length = 1;
    cr_expect_not(secret_equal(&a, &b));
    cr_expect_not(secret_equal(&a, &none));
    secret_clear(&a);
    secret_clear(&b);
}

Test(secret, is_read_from_its_file)
{
    char path[] = "/tmp/mvb-secret-XXXXXX", to[8];
    size_t length = 0;
    int file = mkstemp(path);
    cr_assert_eq(write(file, "0123456789", 10), 10);
    close(file);
    cr_expect_null(secret_read(path, to, sizeof(to), &length));
    cr_expect_eq(length, sizeof(to));
    cr_expect_arr_eq(to, "01234567", sizeof(to));
    chmod(path, 0604);
    memset(to, 0, sizeof(to));
    cr_expect(strstr(secret_read(path, to, sizeof(to), &length), "chmod o="));
    cr_expect_eq(to[0], 0);
    unlink(path);
    cr_expect_str_eq(secret_read(path, to, sizeof(to), &length), "No such file or directory");
}
