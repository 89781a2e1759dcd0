/* http_text.h: which characters the parts of an HTTP message consist of (RFC 9110 §5.5, §5.6.2). */
#ifndef WS_BASE_HTTP_TEXT_H
#define WS_BASE_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A character of a token: of a method, a field's name, an extension's name. Never the NUL. */
bool http_token_char(char c);

/* A character of a request's target: visible, or a byte of another alphabet, which browsers escape
 * and simple clients do not. */
static inline bool http_target_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f;
}

/* A character of a field's value: these, a space or a tab. No control character is one, so none
 * ends a line. */
static inline bool http_value_char(char c)
{
    return http_target_char(c) || c == ' ' || c == '\t';
}

/* How many characters at the start belong to a token. */
size_t http_token_length(const char *text);

/* True for a token of at least one character. */
bool http_token_valid(const char *text);

/* True for a field's value, which may be empty. */
bool http_value_valid(const char *text);

/* True for a target of at least one character. */
bool http_target_valid(const char *text);

#endif
