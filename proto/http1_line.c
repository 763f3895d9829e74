/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/http1_line.h"

#include <strings.h>

#define CHUNK_DIGITS_MAX 16

static const struct http1_fault none;

static struct http1_fault bad(const char *text)
{
    return (struct http1_fault){.status = 400, .text = text};
}

/* tchar of RFC 9110 section 5.6.2. */
static bool is_token(uint8_t c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || (c != 0 && strchr("!#$%&'*+-.^_`|~", c));
}

/* RFC 9110 section 5.5. */
static bool is_value(struct span text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] == 0x7f)
            return false;
    }
    return true;
}

static struct span from(struct span text, size_t at)
{
    return span_of(text.at + at, text.length - at);
}

static struct http1_fault check_version(struct span version)
{
    if (span_is(version, "HTTP/1.1") || span_is(version, "HTTP/1.0"))
        return none;
    if (version.length == 8 && span_is(span_cut(version, 5), "HTTP/"))
        return (struct http1_fault){
            .status = 505, .text = "HTTP/1.1 and HTTP/1.0 are served over this connection"};
    return bad("the request line is METHOD PATH HTTP/1.1");
}

/* Two single spaces, and else nothing but what is visible; a target has no fragment. */
static struct http1_fault check_request(struct span line)
{
    size_t spaces = 0;
    size_t last = 0;
    for (size_t i = 0; i < line.length; i++) {
        bool space = line.at[i] == ' ';
        bool doubled = space && (i == 0 || line.at[i - 1] == ' ');
        if (line.at[i] < ' ' || line.at[i] > '~' || line.at[i] == '#' || doubled)
            return bad("the request line is METHOD PATH HTTP/1.1, in visible ASCII, with one space "
                       "between each");
        spaces += space;
        last = space ? i : last;
    }
    if (spaces != 2)
        return bad("the request line is METHOD PATH HTTP/1.1");
    return check_version(from(line, last + 1));
}

static struct http1_fault check_field(struct span line)
{
    size_t name = 0;
    if (line.length == 0)
        return none;
    if (line.at[0] == ' ' || line.at[0] == '\t')
        return bad("a header line begins with a space: header fields are of one line");
    while (name < line.length && is_token(line.at[name]))
        name++;
    if (name == 0 || name == line.length || line.at[name] != ':')
        return bad("a header field is NAME: VALUE, with nothing between the name and the colon");
    if (!is_value(from(line, name + 1)))
        return bad("a header field's value has control characters");
    return none;
}

static struct http1_fault check_chunk(struct span line)
{
    size_t digits = 0;
    while (digits < line.length && line.at[digits] != 0 &&
           strchr("0123456789abcdefABCDEF", line.at[digits]))
        digits++;
    if (digits == 0 || digits > CHUNK_DIGITS_MAX)
        return bad("a chunk's size is 1 to 16 hexadecimal digits");
    struct span rest = from(line, digits);
    if (rest.length > 0 && (rest.at[0] != ';' || !is_value(rest)))
        return bad("behind a chunk's size stands nothing, or an extension that begins with ;");
    return none;
}

struct http1_fault http1_line_check(enum http1_line kind, struct span line)
{
    if (line.length < 2 || line.at[line.length - 2] != '\r' || line.at[line.length - 1] != '\n')
        return bad("a line does not end with CR LF");
    line.length -= 2;
    switch (kind) {
    case HTTP1_LINE_REQUEST:
        return check_request(line);
    case HTTP1_LINE_FIELD:
        return check_field(line);
    case HTTP1_LINE_CHUNK:
        return check_chunk(line);
    default:
        return line.length == 0 ? none : bad("a chunk is longer than its size says");
    }
}

struct http1_fault http1_line_too_long(enum http1_line kind)
{
    switch (kind) {
    case HTTP1_LINE_REQUEST:
        return (struct http1_fault){.status = 414,
                                    .text = "the request line is longer than 8192 bytes"};
    case HTTP1_LINE_FIELD:
        return (struct http1_fault){.status = 431,
                                    .text = "the header is larger than limits.http.max_header"};
    case HTTP1_LINE_CHUNK:
        return bad("the line of a chunk's size is longer than 256 bytes");
    default:
        return bad("a chunk is longer than its size says");
    }
}

struct span http1_trim(struct span text)
{
    while (text.length > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = from(text, 1);
    while (text.length > 0 && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
        text.length--;
    return text;
}

bool http1_is(struct span text, const char *word)
{
    return text.length == strlen(word) &&
           strncasecmp((const char *)text.at, word, text.length) == 0;
}
