/* SPDX-License-Identifier: Apache-2.0 */
#include "milvus/common.pb-c.h"
#include "milvus/milvus.pb-c.h"
#include "milvus/schema.pb-c.h"
#include "proto/rest/plans.h"
#include "proto/rest/route.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MAY            false
#define NEED           true
#define TEXT           .kind = REST_TEXT
#define TEXTS          .kind = REST_TEXTS
#define INT            .kind = REST_INT
#define INT32          .kind = REST_INT32
#define JOB            .kind = REST_JOB
#define BOOL           .kind = REST_BOOL
#define WORD(name)     .kind = REST_WORD, .words = &milvus__proto__##name##__descriptor
#define OBJECT(name)   .kind = REST_OBJECT, .shape = &rest_shape_##name
#define OBJECTS(name)  .kind = REST_OBJECTS, .shape = &rest_shape_##name
#define VALUE          .kind = REST_VALUE
#define SECRET         .kind = REST_SECRET
#define JSON           .kind = REST_JSON
#define PAIRS          .kind = REST_PAIRS
#define MAP(name)      .kind = REST_MAP, .shape = &rest_shape_##name
#define FIXED(value)   .kind = REST_FIXED, .fixed = value
#define PAIR_LIST      .kind = REST_PAIR_LIST
#define PAIR_VALUE(of) .kind = REST_PAIR_VALUE, .pair = #of
#define PAIR_COUNT(of) .kind = REST_PAIR_COUNT, .pair = #of
#define COUNTS         .kind = REST_COUNTS
#define JOINED         .kind = REST_JOINED

#define FIELD(name, need, kind_of_it, names, ...)                                                  \
    {.key = #name, .needed = need, kind_of_it, .path = {__VA_ARGS__}},
#define SHAPE(name, fields)                                                                        \
    static const struct rest_field fields_of_##name[] = {fields};                                  \
    const struct rest_shape rest_shape_##name = {fields_of_##name, COUNT(fields_of_##name)};
#define ROUTE(path, rpc, plan, request, data)
#define FORWARD(path, class)
#include "proto/rest/routes.def"
#undef SHAPE
#undef ROUTE
#undef FORWARD

static const struct rest_shape rest_shape_none = {NULL, 0};

#define EMPTY .data = REST_DATA_EMPTY
#define ONE(kind_of_it, names, ...)                                                                \
    .data = REST_DATA_ONE, .field = {.needed = true, kind_of_it, .path = {__VA_ARGS__}}
#define ALL(name) .data = REST_DATA_ALL, .field = {OBJECT(name)}
#define SHAPE(...)
#define ROUTE(address, rpc, plan_of_it, request_shape, data_of_it)                                 \
    {.path = "/v2/vectordb/" address,                                                              \
     .method = #rpc,                                                                               \
     .plan = rest_##plan_of_it,                                                                    \
     .request = &rest_shape_##request_shape,                                                       \
     data_of_it},
#define FORWARD(address, right) {.path = "/v2/vectordb/" address, .class = RPC_CLASS_##right},

static const struct rest_route routes[] = {
#include "proto/rest/routes.def"
};

const struct rest_route *rest_routes(size_t *ret_count)
{
    *ret_count = COUNT(routes);
    return routes;
}
