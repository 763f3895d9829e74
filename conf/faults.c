/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/faults.h"

#include <stdlib.h>
#include <string.h>

static bool stands_before(struct mark at, const struct conf_fault *fault)
{
    if (at.line != fault->line)
        return at.line < fault->line;
    return at.column < fault->column;
}

/* Takes the text over. */
static void insert(struct conf_faults *faults, struct mark at, char *text)
{
    struct conf_fault *items = realloc(faults->items, (faults->count + 1) * sizeof(*items));
    if (!items)
        abort();
    size_t place = faults->count;
    while (place > 0 && stands_before(at, &items[place - 1]))
        place--;
    memmove(&items[place + 1], &items[place], (faults->count - place) * sizeof(*items));
    items[place] = (struct conf_fault){.line = at.line, .column = at.column, .text = text};
    faults->items = items;
    faults->count++;
}

/* An operator's terminal is no place for a file's control characters. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
    }
}

__attribute__((format(printf, 1, 0))) static char *print(const char *format, va_list arguments)
{
    char *text;
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    make_printable(text);
    return text;
}

static void add_end(struct conf_faults *faults)
{
    struct mark end = {.line = (unsigned)-1};
    char *text = strdup("more faults were found; mend these first");
    if (!text)
        abort();
    insert(faults, end, text);
    faults->items[FAULTS_MAX].line = 0;
}

__attribute__((format(printf, 3, 0))) static void add(struct conf_faults *faults, struct mark at,
                                                      const char *format, va_list arguments)
{
    if (faults->count > FAULTS_MAX)
        return;
    if (faults->count == FAULTS_MAX) {
        add_end(faults);
        return;
    }
    insert(faults, at, print(format, arguments));
}

void faults_add(struct conf_faults *faults, struct mark at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(faults, at, format, arguments);
    va_end(arguments);
}

void faults_about(struct conf_faults *faults, struct mark at, const char *key, const char *format,
                  ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = print(format, arguments);
    va_end(arguments);
    if (at.argument)
        faults_add(faults, at, "%s%s", at.argument, text);
    if (!at.argument)
        faults_add(faults, at, "\"%s\"%s", key, text);
    free(text);
}

void conf_faults_free(struct conf_faults *faults)
{
    if (!faults)
        return;
    for (size_t i = 0; i < faults->count; i++)
        free(faults->items[i].text);
    free(faults->items);
    *faults = (struct conf_faults){0};
}

void conf_faults_print(const struct conf_faults *faults, const char *path, FILE *to)
{
    for (size_t i = 0; i < faults->count; i++) {
        const struct conf_fault *fault = &faults->items[i];
        if (fault->line > 0)
            fprintf(to, "%s:%u:%u: ", path, fault->line, fault->column);
        fprintf(to, "%s\n", fault->text);
    }
}
