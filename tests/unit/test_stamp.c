/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/stamp.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

/* Files that have not been written to for a while. */
#define OLD   "/bin/sh"
#define OTHER "/bin/ls"

static char folder[] = "/tmp/mvb-stamp-XXXXXX";
static char name[64];

static void create(void)
{
    cr_assert_not_null(mkdtemp(folder));
    snprintf(name, sizeof(name), "%s/file", folder);
}

static void clean(void)
{
    unlink(name);
    rmdir(folder);
}

TestSuite(stamp, .init = create, .fini = clean);

Test(stamp, of_an_old_file_holds)
{
    struct stamp stamp = stamp_take(OLD);
    cr_expect(stamp_holds(&stamp, OLD));
    cr_expect_not(stamp_holds(&stamp, OTHER));
}

Test(stamp, of_a_link_that_leads_elsewhere_does_not)
{
    cr_assert_eq(symlink(OLD, name), 0);
    struct stamp stamp = stamp_take(name);
    cr_expect(stamp_holds(&stamp, name));
    unlink(name);
    cr_assert_eq(symlink(OTHER, name), 0);
    cr_expect_not(stamp_holds(&stamp, name));
}

/* It can be written to again without another size or time. */
Test(stamp, of_a_young_file_does_not)
{
    fclose(fopen(name, "w"));
    struct stamp stamp = stamp_take(name);
    cr_expect_not(stamp_holds(&stamp, name));
}

Test(stamp, of_no_file_tells_of_one)
{
    struct stamp stamp = stamp_take(name);
    cr_expect(stamp_holds(&stamp, name));
    cr_assert_eq(symlink(OLD, name), 0);
    cr_expect_not(stamp_holds(&stamp, name));
}
