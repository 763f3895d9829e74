/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON, without white space, to the end of a buffer. Commas come by themselves. */
#ifndef PROTO_JWRITER_H
#define PROTO_JWRITER_H

#include "proto/buffer.h"

struct jwriter {
    struct buffer *to;
    bool comma; /* before what comes next */
};

void jwriter_object(struct jwriter *writer);
void jwriter_object_end(struct jwriter *writer);
void jwriter_array(struct jwriter *writer);
void jwriter_array_end(struct jwriter *writer);

/* Of an object's next member. */
void jwriter_key(struct jwriter *writer, struct span key);

/* A string. What is no UTF-8 in it becomes U+FFFD. */
void jwriter_text(struct jwriter *writer, struct span text);
void jwriter_bool(struct jwriter *writer, bool value);
void jwriter_null(struct jwriter *writer);
void jwriter_int(struct jwriter *writer, int64_t value);

/* The same as a string of its digits. */
void jwriter_int_text(struct jwriter *writer, int64_t value);

/* In as few digits as bring the same value back; NaN and infinities, which JSON has not, as the
 * strings "NaN", "Infinity", "-Infinity". */
void jwriter_float(struct jwriter *writer, float value);
void jwriter_double(struct jwriter *writer, double value);

/* Bytes in base64, as a string. */
void jwriter_base64(struct jwriter *writer, struct span bytes);

/* What is JSON already: a key without its quotes, a value. */
void jwriter_raw_key(struct jwriter *writer, struct span key);
void jwriter_raw(struct jwriter *writer, struct span json);

#endif
