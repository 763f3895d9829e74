/* SPDX-License-Identifier: Apache-2.0 */
/* Prints JSON: jansson's printer knows only a fixed number of digits for reals. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/json.h"
#include "proto/number.h"

struct printer {
    FILE *to;
    unsigned indent;
};

static void print_value(const struct printer *printer, const json_t *json, unsigned level);

static void print_real(const struct printer *printer, double value)
{
    char text[NUMBER_MAX + 1];
    text[number_print_double(text, value)] = 0;
    fputs_unlocked(text, printer->to);
    if (!strpbrk(text, ".e"))
        fputs_unlocked(".0", printer->to); /* stays a real when read again */
}

static void print_escaped(const struct printer *printer, unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        fprintf(printer->to, "\\%c", byte);
        break;
    case '\n':
        fputs_unlocked("\\n", printer->to);
        break;
    case '\t':
        fputs_unlocked("\\t", printer->to);
        break;
    default:
        fprintf(printer->to, "\\u%04x", byte);
    }
}

/* RFC 8259 section 7: quotes, backslashes and control characters must be escaped. The text is
 * UTF-8, which jansson has checked. */
static void print_string(const struct printer *printer, const char *text, size_t length)
{
    putc_unlocked('"', printer->to);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte < 0x20 || byte == '"' || byte == '\\')
            print_escaped(printer, byte);
        else
            putc_unlocked(byte, printer->to);
    }
    putc_unlocked('"', printer->to);
}

static void print_break(const struct printer *printer, unsigned level)
{
    if (printer->indent > 0)
        fprintf(printer->to, "\n%*s", (int)(printer->indent * level), "");
}

static void print_comma(const struct printer *printer, bool in_line)
{
    putc_unlocked(',', printer->to);
    if (in_line && printer->indent > 0)
        putc_unlocked(' ', printer->to);
}

static bool holds_scalars(const json_t *array)
{
    size_t i;
    json_t *element;
    json_array_foreach(array, i, element)
    {
        if (json_is_object(element) || json_is_array(element))
            return false;
    }
    return true;
}

static void print_array(const struct printer *printer, const json_t *array, unsigned level)
{
    bool in_line = holds_scalars(array);
    size_t i;
    json_t *element;
    putc_unlocked('[', printer->to);
    json_array_foreach(array, i, element)
    {
        if (i > 0)
            print_comma(printer, in_line);
        if (!in_line)
            print_break(printer, level + 1);
        print_value(printer, element, level + 1);
    }
    if (!in_line)
        print_break(printer, level);
    putc_unlocked(']', printer->to);
}

static void print_object(const struct printer *printer, const json_t *object, unsigned level)
{
    bool first = true;
    const char *key;
    json_t *value;
    putc_unlocked('{', printer->to);
    json_object_foreach((json_t *)object, key, value)
    {
        if (!first)
            print_comma(printer, false);
        first = false;
        print_break(printer, level + 1);
        print_string(printer, key, strlen(key));
        fputs_unlocked(printer->indent > 0 ? ": " : ":", printer->to);
        print_value(printer, value, level + 1);
    }
    if (!first)
        print_break(printer, level);
    putc_unlocked('}', printer->to);
}

static void print_value(const struct printer *printer, const json_t *json, unsigned level)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        print_object(printer, json, level);
        break;
    case JSON_ARRAY:
        print_array(printer, json, level);
        break;
    case JSON_STRING:
        print_string(printer, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        fprintf(printer->to, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
        break;
    case JSON_REAL:
        print_real(printer, json_real_value(json));
        break;
    case JSON_TRUE:
        fputs_unlocked("true", printer->to);
        break;
    case JSON_FALSE:
        fputs_unlocked("false", printer->to);
        break;
    case JSON_NULL:
        fputs_unlocked("null", printer->to);
        break;
    }
}

char *json_pb_text(const json_t *json, unsigned indent)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    if (!to)
        return NULL;
    print_value(&(struct printer){to, indent}, json, 0);
    bool failed = ferror(to) != 0;
    if (fclose(to) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
