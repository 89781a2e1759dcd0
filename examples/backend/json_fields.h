/* json_fields.h: reads typed, bounded values from a request's JSON object.
 * Parsing is json_text.h; the API answers bad fields. */
#ifndef BACKEND_JSON_FIELDS_H
#define BACKEND_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

/* The first problem of a request. */
struct field_problem {
    const char *code;
    char message[160];
    char field[64]; /* like "items[0].quantity"; "" if it is not one field */
};

/* An object whose fields are read. */
struct field_source {
    const cJSON *object;
    const char *prefix; /* the object's own name, like "items[0].", or "" */
    struct field_problem *problem;
};

enum field_text_kind { FIELD_LINE, FIELD_LINES }; /* without or with line feeds and tabs */

/* Describes a bad field, with code `invalid_field`. Returns false. */
__attribute__((format(printf, 3, 4))) bool
field_fail(const struct field_source *source, const char *name, const char *format, ...);

/* True if the field is present and not null. */
bool field_is_given(const struct field_source *source, const char *name);

/* These read a required field; false with `problem` filled in. Texts live as long as the tree;
 * their length is counted in characters. A name must be valid by ws_name_is_valid(). */
bool field_integer(const struct field_source *source, const char *name, int64_t min,
                   int64_t max, int64_t *value);
bool field_text(const struct field_source *source, const char *name, size_t max_characters,
                enum field_text_kind kind, const char **value);
bool field_name(const struct field_source *source, const char *name, const char **value);
bool field_array(const struct field_source *source, const char *name, size_t min, size_t max,
                 const cJSON **array);

#endif
