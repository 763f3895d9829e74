/* SPDX-License-Identifier: Apache-2.0 */
/* The plans of routes that take more than a row can say. */
#ifndef PROTO_REST_PLANS_H
#define PROTO_REST_PLANS_H

#include "proto/rest/state.h"

rest_plan rest_add_function_field;
rest_plan rest_compaction_state;
rest_plan rest_create_collection;
rest_plan rest_create_indexes;
rest_plan rest_describe_collection;
rest_plan rest_drop_field;
rest_plan rest_flush;
rest_plan rest_get_load_state;
rest_plan rest_list_indexes;

/* entities/…: rows to columns and back. */
rest_plan rest_insert;
rest_plan rest_upsert;
rest_plan rest_delete;
rest_plan rest_get;
rest_plan rest_query;
rest_plan rest_search;
rest_plan rest_hybrid_search;

#endif
