/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <netinet/in.h>

#include "conf/address.h"

#define TEN      "/123456789"
#define PATH_100 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static struct address good(const char *text)
{
    struct address address;
    const char *error = NULL;
    cr_assert_eq(address_parse(text, &address, &error), 0, "%s: %s", text, error);
    cr_assert_str_eq(address.text, text);
    return address;
}

Test(address, reads_a_unix_path)
{
    struct address address = good("unix:/run/x.sock");
    cr_assert(address_is_unix(&address));
    cr_assert_str_eq(address_path(&address), "/run/x.sock");
    cr_assert_eq(address.length, offsetof(struct sockaddr_un, sun_path) + sizeof("/run/x.sock"));
}

Test(address, reads_numbers)
{
    struct address v4 = good("127.0.0.1:19530");
    const struct sockaddr_in *in = (const struct sockaddr_in *)&v4.sockaddr;
    cr_assert_eq(in->sin_family, AF_INET);
    cr_assert_eq(ntohs(in->sin_port), 19530);
    cr_assert_eq(ntohl(in->sin_addr.s_addr), INADDR_LOOPBACK);
    cr_assert_null(address_path(&v4));

    struct address v6 = good("[::1]:0");
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&v6.sockaddr;
    cr_assert_eq(in6->sin6_family, AF_INET6);
    cr_assert_eq(in6->sin6_port, 0);
    cr_assert(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
    good("0.0.0.0:65535");
    good("[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

Test(address, knows_which_are_of_this_machine_alone)
{
    static const char *const local[] = {"unix:/a", "127.0.0.1:1", "127.255.0.9:0", "[::1]:1"};
    static const char *const remote[] = {
        "0.0.0.0:1", "126.0.0.1:1", "128.0.0.1:1", "10.0.0.1:1",
        "[::]:1",    "[::2]:1",     "[fe80::1]:1", "[::ffff:127.0.0.1]:1"};
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
        struct address address = good(local[i]);
        cr_expect(address_is_local(&address), "%s", local[i]);
    }
    for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++) {
        struct address address = good(remote[i]);
        cr_expect_not(address_is_local(&address), "%s", remote[i]);
    }
    const struct address other = {.sockaddr.ss_family = AF_VSOCK};
    cr_expect_not(address_is_local(&other));
}

Test(address, takes_a_path_of_107_bytes)
{
    struct address address = good("unix:" PATH_100 "/123456");
    cr_assert_eq(strlen(address_path(&address)), 107);
}

Test(address, says_what_would_be_right)
{
    static const struct {
        const char *text, *error;
    } wrong[] = {
        {"unix:" PATH_100 "/1234567", "at most 107 bytes"},
        {"unix:", "absolute"},
        {"unix:run/x.sock", "absolute"},
        {"unix:@abstract", "abstract"},
        {"@abstract", "unix:/path"},
        {"", "unix:/path"},
        {"/run/x.sock", "unix:/path"},
        {"127.0.0.1", "unix:/path"},
        {":19530", "the host is missing"},
        {"localhost:19530", "names are not resolved"},
        {"127.0.0.1:", "0 to 65535"},
        {"127.0.0.1:65536", "0 to 65535"},
        {"127.0.0.1:100000", "0 to 65535"},
        {"127.0.0.1:-1", "0 to 65535"},
        {"127.0.0.1:1x", "0 to 65535"},
        {"127.0.0.256:1", "names are not resolved"},
        {"::1:19530", "brackets"},
        {"[::1]", "0 to 65535"},
        {"[::g]:1", "no IPv6 address"},
        {"[]:1", "no IPv6 address"},
        {"[:1", "names are not resolved"},
        {"http://127.0.0.1:1", "brackets"},
        {PATH_100 "/1234567890123456789", "shorter"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        struct address address = {.length = 42};
        const char *error = NULL;
        cr_assert_eq(address_parse(wrong[i].text, &address, &error), -1, "%s", wrong[i].text);
        cr_expect(strstr(error, wrong[i].error), "%s: %s", wrong[i].text, error);
        cr_expect_eq(address.length, 42);
    }
}
