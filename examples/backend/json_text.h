/* json_text.h: parses a request's body into a cJSON tree, strictly by RFC 8259.
 * Fields are read by json_fields.h. */
#ifndef BACKEND_JSON_TEXT_H
#define BACKEND_JSON_TEXT_H

#include <stddef.h>

#include <cjson/cJSON.h>

/* The tree of one JSON object. NULL with a static text in *problem if it is not one, or with NULL
 * in it when memory is short. `text` has a NUL after its `length` bytes. Any thread. */
cJSON *json_text_parse_object(const char *text, size_t length, const char **problem);

#endif
