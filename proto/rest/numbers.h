/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of Milvus's types and fields on the wire: FieldData_field_name, DATA_TYPE(Int64). */
#ifndef PROTO_REST_NUMBERS_H
#define PROTO_REST_NUMBERS_H

#include "milvus/schema.pb-c.h"

#define NUMBER(message, field, number) message##_##field = number,
enum {
#include "proto/rest/numbers.def"
};
#undef NUMBER

/* Of milvus.proto.schema.DataType. */
#define DATA_TYPE(name) MILVUS__PROTO__SCHEMA__DATA_TYPE__##name

/* "Int64", "a type that is not known". Static text. */
const char *data_type_name(uint32_t type);

#endif
