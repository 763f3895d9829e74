/* SPDX-License-Identifier: Apache-2.0 */
/* once ADDRESS METHOD FILE: one request, whose message stands in the file, as a short-lived program
 * makes it. */
#include <mvb.h>
#include <stdio.h>
#include <stdlib.h>

#define MESSAGE_MAX (1u << 20)

int main(int argc, char **argv)
{
    struct mvb *mvb;
    const char *error;
    if (argc != 4 || mvb_open(&mvb, argv[1], &error) != 0) {
        fputs("Usage: once ADDRESS METHOD FILE\n", stderr);
        return 2;
    }
    FILE *file = fopen(argv[3], "rbe");
    void *message = malloc(MESSAGE_MAX);
    if (!file || !message)
        return 2;
    size_t size = fread(message, 1, MESSAGE_MAX, file);
    fclose(file);
    struct mvb_reply reply;
    unsigned code = mvb_call(mvb, NULL, argv[2], message, size, 0, &reply);
    if (code != MVB_OK)
        fprintf(stderr, "%s\n", reply.message);
    mvb_reply_clear(&reply);
    mvb_close(mvb);
    free(message);
    return code == MVB_OK ? 0 : 1;
}
