/* json_text.h: turns a request's body into a cJSON tree, by the letter of RFC 8259.
 * What the fields must hold is json_fields.h. */
#ifndef BACKEND_JSON_TEXT_H
#define BACKEND_JSON_TEXT_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* The tree of one JSON object, NULL with a static text in *problem if it isn't one. `text` has
 * a NUL behind its `length` bytes. Any thread. */
cJSON *json_text_parse_object(const char *text, size_t length, const char **problem);

#endif
