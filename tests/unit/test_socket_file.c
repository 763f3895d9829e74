/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/socket_file.h"

static char folder[] = "/tmp/mvb-socket-XXXXXX";
static char path[64];
static struct conf_listener conf;
static struct socket_file file;

static void begin(void)
{
    char text[80];
    const char *error;
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/s", folder);
    snprintf(text, sizeof(text), "unix:%s", path);
    cr_assert_eq(address_parse(text, &conf.address, &error), 0);
    conf.mode = CONF_MODE_UNSET;
    conf.gid = (gid_t)-1;
}

static void end(void)
{
    unlink(path);
    rmdir(folder);
}

TestSuite(socket_file, .init = begin, .fini = end);

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    return fd;
}

static bool exists(void)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* A socket that listens at the path; closed without removing the file it is a stale one. */
static int listening(void)
{
    int fd = new_socket();
    cr_assert_eq(socket_file_bind(&file, fd, &conf), 0);
    cr_assert_eq(listen(fd, 1), 0);
    return fd;
}

static void expect_refused(int expected)
{
    struct socket_file other = {0};
    int fd = new_socket();
    cr_expect_eq(socket_file_bind(&other, fd, &conf), -1);
    cr_expect_eq(errno, expected);
    cr_expect_null(other.path);
    socket_file_remove(&other);
    close(fd);
}

Test(socket_file, is_made_and_removed)
{
    int fd = listening();
    cr_expect(exists());
    cr_expect_str_eq(file.path, path);
    socket_file_remove(&file);
    cr_expect_not(exists());
    cr_expect_null(file.path);
    socket_file_remove(&file);
    close(fd);
}

Test(socket_file, stale_one_is_replaced)
{
    close(listening());
    cr_assert(exists());
    int fd = listening();
    int client = new_socket();
    cr_expect_eq(
        connect(client, (const struct sockaddr *)&conf.address.sockaddr, conf.address.length), 0);
    close(client);
    close(fd);
}

/* Bound, but not listening yet, counts as stale: nobody could have connected. */
Test(socket_file, live_one_is_refused_and_stays)
{
    int fd = listening();
    expect_refused(EADDRINUSE);
    cr_expect(exists());
    close(fd);
}

Test(socket_file, live_one_with_a_full_backlog_is_refused)
{
    int fd = listening();
    int clients[4];
    for (size_t i = 0; i < 4; i++) {
        clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(clients[i], (const struct sockaddr *)&conf.address.sockaddr,
                       conf.address.length);
    }
    expect_refused(EADDRINUSE);
    for (size_t i = 0; i < 4; i++)
        close(clients[i]);
    close(fd);
}

Test(socket_file, other_kinds_of_files_are_refused_and_stay)
{
    FILE *other = fopen(path, "w");
    fputs("precious", other);
    fclose(other);
    expect_refused(EADDRINUSE);
    cr_expect(exists());
    unlink(path);

    cr_assert_eq(mkdir(path, 0700), 0);
    expect_refused(EADDRINUSE);
    cr_expect(exists());
    rmdir(path);

    cr_assert_eq(symlink("/nowhere", path), 0);
    expect_refused(EADDRINUSE);
    cr_expect(exists());
}

Test(socket_file, missing_folder_is_an_error)
{
    rmdir(folder);
    expect_refused(ENOENT);
}

Test(socket_file, has_the_mode_asked_for)
{
    static const mode_t modes[] = {0600, 0660, 0777};
    umask(022);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct stat status;
        conf.mode = modes[i];
        int fd = listening();
        cr_assert_eq(stat(path, &status), 0);
        cr_expect_eq(status.st_mode & 07777, modes[i]);
        socket_file_remove(&file);
        close(fd);
    }
}

Test(socket_file, without_a_mode_the_umask_counts)
{
    struct stat status;
    umask(027);
    int fd = listening();
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0750);
    close(fd);
}

Test(socket_file, has_the_group_asked_for)
{
    struct stat status;
    conf.gid = getegid();
    int fd = listening();
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_gid, getegid());
    close(fd);
}

static struct stat given(bool has_group)
{
    struct stat status;
    conf.gid = has_group ? 7 : (gid_t)-1;
    int fd = listening();
    cr_assert_eq(socket_file_give(&file, 4711, 4712), 0);
    cr_assert_eq(stat(path, &status), 0);
    socket_file_remove(&file);
    close(fd);
    return status;
}

Test(socket_file, is_given_to_a_user)
{
    if (geteuid() != 0)
        cr_skip_test("only root gives files away");
    cr_expect_eq(given(false).st_uid, 4711);
    cr_expect_eq(given(false).st_gid, 4712);
    cr_expect_eq(given(true).st_uid, 4711);
    cr_expect_eq(given(true).st_gid, 7);
    cr_expect_eq(socket_file_give(&(struct socket_file){0}, 4711, 4712), 0);
}

Test(socket_file, says_whether_it_can_be_removed)
{
    int fd = listening();
    cr_expect(socket_file_removable(&file));
    cr_expect(socket_file_removable(&(struct socket_file){0}));
    cr_assert_eq(chmod(folder, 0500), 0);
    bool is_root = geteuid() == 0;
    cr_assert(!is_root || setresuid(65534, 0, 0) == 0); /* for whom access(2) asks */
    cr_expect_not(socket_file_removable(&file));
    cr_expect_eq(errno, EACCES);
    cr_assert(!is_root || setresuid(0, 0, 0) == 0);
    cr_assert_eq(chmod(folder, 0700), 0);
    close(fd);
}

/* Somebody has put another in its place. */
Test(socket_file, only_its_own_is_removed)
{
    int fd = listening();
    struct socket_file first = file;
    char kept[80];
    snprintf(kept, sizeof(kept), "%s2", path);
    cr_assert_eq(rename(path, kept), 0); /* keeps the inode from being used again */
    int second = listening();
    socket_file_remove(&first);
    cr_expect(exists());
    socket_file_remove(&file);
    cr_expect_not(exists());
    unlink(kept);
    close(second);
    close(fd);
}
