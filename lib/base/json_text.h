/* json_text.h: looking at JSON text (RFC 8259) in place: is it valid, what are its members.
 * Not here: trees (applications have cJSON for that) and the writing of JSON (buffer.h). json_string()
 * is in a file of its own. */
#ifndef WS_BASE_JSON_TEXT_H
#define WS_BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/memory.h"

/* A part of a JSON text: not NUL-terminated, and living as long as the text. */
struct json_slice {
    const char *text; /* NULL: absent */
    size_t length;
};

enum { JSON_MAX_DEPTH = 256 }; /* of event data; a check uses no stack, one bit a level */

/* True if the text is exactly one JSON value in UTF-8, nested no deeper than max_depth (at most
 * JSON_MAX_DEPTH), white space around it allowed. */
bool json_valid(const char *text, size_t length, size_t max_depth);

/* Finds members of the object that a valid text is: values[i] becomes the value named names[i],
 * or {NULL}. Of several members of one name the last counts, as in JSON.parse(). False if the
 * text is no object. The names are plain ASCII; in the text they may be written with escapes. */
bool json_members(const char *text, size_t length, const char *const *names,
                  struct json_slice *values, size_t n_names);

/* A walk over the members of the object that a valid text is. */
struct json_walk {
    const char *at;
    const char *end;
};

/* False if the text is no object. */
bool json_walk_begin(struct json_walk *walk, const char *text, size_t length);

/* The next member, its name with the quotes; false if there is none. */
bool json_walk_next(struct json_walk *walk, struct json_slice *name, struct json_slice *value);

/* The text of a JSON string, without quotes and escapes, NUL-terminated: *text is for the
 * caller to free, or NULL when `value` is no string or holds U+0000. False if memory ran out. */
bool json_string(const ws_allocator *memory, struct json_slice value, char **text);

#endif
