/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file of any content is read, or its faults are; both print and free. */
#include <stdlib.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct conf *conf = NULL;
    struct conf_faults faults;
    int result = conf_parse("fuzz.yaml", (const char *)data, size, &conf, &faults);
    if ((result == 0) != (conf != NULL) || (result == 0) != (faults.count == 0))
        abort();
    for (size_t i = 0; i < faults.count; i++) {
        if (!faults.items[i].text)
            abort();
    }
    for (size_t i = 1; i < faults.count; i++) {
        if (faults.items[i].line != 0 && faults.items[i].line < faults.items[i - 1].line)
            abort();
    }
    conf_faults_free(&faults);
    conf_free(conf);
    return 0;
}
