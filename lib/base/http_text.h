/* http_text.h: the characters that each part of an HTTP message may contain (RFC 9110 §5.5,
 * §5.6.2). */
#ifndef WS_BASE_HTTP_TEXT_H
#define WS_BASE_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True for a character of a token, such as a method or the name of a field or extension. False for
 * NUL. */
bool http_token_char(char c);

/* True for a character of a request's target: visible ASCII, or a byte above 0x7f, which browsers
 * escape and simple clients do not. */
static inline bool http_target_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f;
}

/* True for a character of a field's value: a character of a target, a space or a tab. A control
 * character is not allowed, so a value cannot end its line. */
static inline bool http_value_char(char c)
{
    return http_target_char(c) || c == ' ' || c == '\t';
}

/* The length of the token at the start of `text`. */
size_t http_token_length(const char *text);

/* True if `text` is a token of at least one character. */
bool http_token_valid(const char *text);

/* True if `text` can be a field's value, which may be empty. */
bool http_value_valid(const char *text);

/* True if `text` consists of characters of a target, at least one. */
bool http_target_valid(const char *text);

#endif
