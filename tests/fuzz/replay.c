/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files named on the command line, for builds without libFuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        return 1;
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size ? size : 1);
    int failed = !data || fread(data, 1, size, file) != size;
    if (!failed)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    fclose(file);
    return failed;
}

int main(int count, char **names)
{
    for (int i = 1; i < count; i++) {
        if (run_file(names[i]) != 0)
            return 1;
    }
    return 0;
}
