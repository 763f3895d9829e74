/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a request of Search. One that may travel with others may travel with itself: the request
 * of both is read as one of twice as many vectors, which would travel with either. */
#include <stdlib.h>

#include "proto/search.h"

static const struct span nothing;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool true_of_all)
{
    if (!true_of_all)
        abort();
}

static void join_with_itself(const struct search *search)
{
    struct search both;
    struct blob *joined = search_join(search, 2 * search->count, 2 * search->vectors.length);
    search_join_add(joined, search);
    search_join_add(joined, search);
    expect(search_read(blob_span(joined), nothing, nothing, &both));
    expect(both.count == 2 * search->count);
    expect(both.limit == search->limit);
    expect(span_equal(blob_span(both.shape), blob_span(search->shape)));
    blob_unref(both.shape);
    blob_unref(joined);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct search search;
    if (!search_read(span_of(data, size), nothing, nothing, &search))
        return 0;
    join_with_itself(&search);
    blob_unref(search.shape);
    return 0;
}
