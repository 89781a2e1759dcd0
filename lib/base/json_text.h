/* json_text.h: validates JSON text (RFC 8259) and finds its members in place. json_string() is in
 * json_string.c. Not here: JSON trees (applications use cJSON) and writing JSON (buffer.h). */
#ifndef WS_BASE_JSON_TEXT_H
#define WS_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

/* A part of a JSON text. It is not NUL-terminated and is valid as long as the text. */
struct json_slice {
    const char *text; /* NULL: absent */
    size_t length;
};

/* The check needs one bit for each level and does not recurse. */
enum {
    JSON_MAX_DEPTH = 256,            /* levels of an application's text */
    JSON_LEVELS = JSON_MAX_DEPTH + 1 /* and of the event around it */
};

/* True if the text is exactly one JSON value in UTF-8, with or without white space around it,
 * nested at most max_depth levels deep (JSON_LEVELS if that is less). */
bool json_valid(const char *text, size_t length, size_t max_depth);

/* As json_valid(); also counts the values and the names of members, up to the first error: what the
 * text costs beside its bytes. */
bool json_check(const char *text, size_t length, size_t max_depth, uint32_t *n_tokens);

/* Finds members of an object: values[i] becomes the value of the member names[i], or {NULL}. If a
 * name occurs more than once, the last one counts, as in JSON.parse(). The text must be valid.
 * False if it is not an object. `names` are plain ASCII; the text may write them with escapes. */
bool json_members(const char *text, size_t length, const char *const *names,
                  struct json_slice *values, size_t n_names);

/* Whether a valid JSON value is the string `text` (plain ASCII); the value may use escapes. */
bool json_string_is(struct json_slice value, const char *text);

/* Iterates over the members of an object, or the elements of an array, in a valid text. */
struct json_walk {
    const char *at;
    const char *end;
};

/* Starts an iteration. False if the text is not an object. */
bool json_walk_begin(struct json_walk *walk, const char *text, size_t length);

/* Returns the next member; *name includes the quotes. False after the last member. */
bool json_walk_next(struct json_walk *walk, struct json_slice *name, struct json_slice *value);

/* Starts an iteration over an array. False if the text is not one. */
bool json_elements_begin(struct json_walk *walk, const char *text, size_t length);

/* Returns the next element. False after the last one. */
bool json_elements_next(struct json_walk *walk, struct json_slice *value);

/* Decodes a JSON string: *text is NUL-terminated, without quotes and escapes, and freed by the
 * caller; NULL if `value` is not a string or contains U+0000. False if memory ran out. */
bool json_string(const ws_allocator *memory, struct json_slice value, char **text);

#endif
