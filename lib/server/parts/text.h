/* text.h: checks and conversions of short texts: characters, numbers, percent-encoding, queries.
 * UTF-8 is checked by lib/base/utf8.h. */
#ifndef WS_SERVER_TEXT_H
#define WS_SERVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many characters a well-formed UTF-8 text has. */
size_t text_character_count(const char *text);

/* True when a well-formed UTF-8 text has a control character (U+0000 to U+001F, U+007F to U+009F);
 * with `allow_lines`, line feeds and tabs don't count. */
bool text_has_control(const char *text, bool allow_lines);

/* A decimal number of digits only, from `min` to `max` (both >= 0). */
bool text_parse_number(const char *text, int64_t min, int64_t max, int64_t *value);

/* Percent-decodes part of a path into `decoded`, which gets a NUL. False for a wrong escape, for a
 * NUL byte, and when it does not fit. */
bool text_percent_decode(const char *text, size_t length, char *decoded, size_t size);

enum text_parameter { TEXT_PARAMETER_ABSENT, TEXT_PARAMETER_FOUND, TEXT_PARAMETER_BAD };

/* The value of the next parameter of that name in *query ("a=1&b=2"), which is moved behind it.
 * Read as in the library (base/http_query.h), but a value with a NUL byte is bad. */
enum text_parameter text_next_parameter(const char **query, const char *name, char *value,
                                        size_t size);

#endif
