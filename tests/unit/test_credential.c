/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/credential.h"
#include "proto/base64.h"

static char path[] = "/tmp/mvb-credential-XXXXXX";

static void create(void)
{
    umask(S_IRWXG | S_IRWXO);
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    close(file);
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(credential, .init = create, .fini = remove_file);

static void put(const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, length, file), length);
    cr_assert_eq(fclose(file), 0);
}

static void put_text(const char *text)
{
    put(text, strlen(text));
}

static struct credential *opened(const struct conf_credential *conf)
{
    struct credential *credential = NULL;
    char *error = NULL;
    cr_assert_eq(credential_open(conf, &credential, &error), 0, "%s", error);
    return credential;
}

static void expect_authorization(const struct credential *credential, const char *text)
{
    cr_expect(span_is(credential_authorization(credential), text), "%.*s",
              SPAN_ARGS(credential_authorization(credential)));
}

/* The file cannot be a token for this reason, and no text shows what stands in it. */
static void expect_wrong(const char *why)
{
    const struct conf_credential conf = {.token_file = path};
    struct credential *credential = NULL;
    char *error = NULL;
    cr_assert_eq(credential_open(&conf, &credential, &error), -1, "%s", why);
    cr_expect_null(credential);
    cr_expect(strstr(error, why), "%s", error);
    cr_expect(strstr(error, path), "%s", error);
    cr_expect_null(strstr(error, "hunter2"));
    free(error);
}

Test(credential, reads_a_token)
{
    const struct conf_credential conf = {.token_file = path};
    static const char *const texts[] = {"root:Milvus", "root:Milvus\n", "root:Milvus\r\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        put_text(texts[i]);
        struct credential *credential = opened(&conf);
        expect_authorization(credential, "cm9vdDpNaWx2dXM=");
        cr_expect(strstr(credential_label(credential), "token in /tmp/"));
        credential_close(credential);
    }
}

Test(credential, reads_a_password)
{
    const struct conf_credential conf = {.user = "root", .password_file = path};
    put_text("Milvus\n");
    struct credential *credential = opened(&conf);
    expect_authorization(credential, "cm9vdDpNaWx2dXM=");
    cr_expect(strstr(credential_label(credential), "user root (password in /tmp/"));
    credential_close(credential);
}

Test(credential, is_empty_without_files)
{
    const struct conf_credential conf = {0};
    struct credential *credential = opened(&conf);
    char *error;
    expect_authorization(credential, "");
    cr_expect_str_eq(credential_label(credential), "no credentials");
    cr_expect_eq(credential_read(credential, &error), 0);
    cr_expect_eq(credential_look(credential, &error), 0);
    credential_close(credential);
    credential_close(NULL);
}

Test(credential, says_what_is_wrong_with_the_file)
{
    expect_wrong("it is empty");
    put_text("\n");
    expect_wrong("it is empty");
    put_text("hunter2\nhunter3\n");
    expect_wrong("several lines");
    put_text("hunter2\n\n");
    expect_wrong("several lines");
    put("hunter2\0x", 9);
    expect_wrong("holds a NUL");
    put_text("hunter2");
    chmod(path, 0644);
    expect_wrong("chmod o=");
    unlink(path);
    expect_wrong("No such file");
}

Test(credential, has_a_longest_secret)
{
    const struct conf_credential conf = {.token_file = path};
    static char text[CREDENTIAL_MAX + 10];
    memset(text, 'x', sizeof(text));
    text[CREDENTIAL_MAX] = '\r';
    text[CREDENTIAL_MAX + 1] = '\n';
    put(text, CREDENTIAL_MAX + 2);
    struct credential *credential = opened(&conf);
    cr_expect_eq(credential_authorization(credential).length, BASE64_SIZE(CREDENTIAL_MAX));
    credential_close(credential);
    put(text, CREDENTIAL_MAX);
    credential_close(opened(&conf));
    text[CREDENTIAL_MAX] = 'x';
    put(text, CREDENTIAL_MAX + 1);
    expect_wrong("longer than 8192");
    put(text, sizeof(text));
    expect_wrong("longer than 8192");
}

typedef int read_function(struct credential *credential, char **ret_error);

static void expect_next(struct credential *credential, read_function *read, int result,
                        const char *next)
{
    char *error = NULL;
    cr_expect_eq(read(credential, &error), result, "%s", error);
    cr_expect(span_is(credential_next(credential), next), "%.*s",
              SPAN_ARGS(credential_next(credential)));
    cr_expect_eq(error != NULL, result < 0);
    free(error);
}

/* What is read anew is the next one, and the one in use stays until it is taken. */
Test(credential, reads_the_next_one)
{
    const struct conf_credential conf = {.token_file = path};
    put_text("foo");
    struct credential *credential = opened(&conf);
    put_text("foo\n");
    expect_next(credential, credential_read, 0, "");
    put_text("foobar");
    expect_next(credential, credential_read, 1, "Zm9vYmFy");
    expect_next(credential, credential_read, 0, "Zm9vYmFy");
    expect_authorization(credential, "Zm9v");
    put_text("bar");
    expect_next(credential, credential_read, 1, "YmFy");
    put_text("foo");
    expect_next(credential, credential_read, 0, "");
    put_text("bar");
    expect_next(credential, credential_read, 1, "YmFy");
    credential_take_next(credential);
    expect_authorization(credential, "YmFy");
    expect_next(credential, credential_read, 0, "");
    credential_close(credential);
}

Test(credential, never_takes_a_file_without_a_secret)
{
    const struct conf_credential conf = {.token_file = path};
    put_text("foo");
    struct credential *credential = opened(&conf);
    put_text("");
    expect_next(credential, credential_look, -1, "");
    expect_next(credential, credential_look, -1, "");
    put_text("bar\nbar\n");
    expect_next(credential, credential_look, -1, "");
    unlink(path);
    expect_next(credential, credential_look, -1, "");
    expect_next(credential, credential_look, -1, "");
    expect_authorization(credential, "Zm9v");
    put_text("bar");
    expect_next(credential, credential_look, 1, "YmFy");
    credential_close(credential);
}
