/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The columns of a search's reply: values of which each row has one, or, in a field that may be
 * null, each row that is not. Columns of either form are told apart by their counts.
 */
#ifndef PROTO_SEARCH_COLUMN_H
#define PROTO_SEARCH_COLUMN_H

#include "proto/search_read.h"

/* A message that has one column somewhere within it, as IDs and FieldData have. */
search_read_function search_read_column;

/* Values that are a column by themselves, packed: of rule->bits each, or else varints. */
search_read_function search_read_packed;

/* Within a column's message: its values. */
search_read_function search_read_varints;
search_read_function search_read_fixed; /* rule->bits each, times the column's dim */
search_read_function search_read_record;

/* Within a column's message: the message that holds the values, or another within it. */
search_read_function search_read_data;
search_read_function search_read_scalars;
search_read_function search_read_array;
search_read_function search_read_vectors;

/* Within a column's message: one of the columns that it is made of, as a struct is. */
search_read_function search_read_inner_column;

/* Within a column's message: what is said of the values. */
search_read_function search_read_valid;
search_read_function search_read_dim;
search_read_function search_read_sparse_dim; /* behind the vectors */

#endif
