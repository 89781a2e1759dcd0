/* json_fields.c: reads typed, bounded values from a request's JSON object.
 * Parsing is in json_text.c; the API answers bad fields. */
#include "json_fields.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <ws_manager/types.h>

#include "server/parts/text.h"

bool field_fail(const struct field_source *source, const char *name, const char *format, ...)
{
    struct field_problem *problem = source->problem;
    va_list arguments;

    problem->code = "invalid_field";
    snprintf(problem->field, sizeof problem->field, "%s%s", source->prefix, name);
    va_start(arguments, format);
    vsnprintf(problem->message, sizeof problem->message, format, arguments);
    va_end(arguments);
    return false;
}

static const cJSON *find(const struct field_source *source, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(source->object, name);
}

bool field_is_given(const struct field_source *source, const char *name)
{
    const cJSON *item = find(source, name);

    return item != NULL && !cJSON_IsNull(item);
}

bool field_integer(const struct field_source *source, const char *name, int64_t min,
                   int64_t max, int64_t *value)
{
    const cJSON *item = find(source, name);
    double number;

    if (!cJSON_IsNumber(item))
        return field_fail(source, name, "must be an integer");
    /* The limits are far below 2^53, so the comparison is exact, and false for NaN. */
    number = cJSON_GetNumberValue(item);
    if (!(number >= (double)min && number <= (double)max) || number != (double)(int64_t)number)
        return field_fail(source, name, "must be an integer from %" PRId64 " to %" PRId64, min,
                          max);
    *value = (int64_t)number;
    return true;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\n")] == '\0';
}

bool field_text(const struct field_source *source, const char *name, size_t max_characters,
                enum field_text_kind kind, const char **value)
{
    const cJSON *item = find(source, name);
    const char *text = cJSON_GetStringValue(item);

    if (text == NULL)
        return field_fail(source, name, "must be a string");
    if (is_blank(text))
        return field_fail(source, name, "must not be empty");
    if (text_character_count(text) > max_characters)
        return field_fail(source, name, "must have at most %zu characters", max_characters);
    if (text_has_control(text, kind == FIELD_LINES))
        return field_fail(source, name, "must not have control characters");
    *value = text;
    return true;
}

bool field_name(const struct field_source *source, const char *name, const char **value)
{
    const char *text = cJSON_GetStringValue(find(source, name));

    if (text == NULL)
        return field_fail(source, name, "must be a string");
    if (!ws_name_is_valid(text))
        return field_fail(source, name,
                          "must be a name: 1 to %d bytes without control characters",
                          WS_NAME_MAX);
    *value = text;
    return true;
}

bool field_array(const struct field_source *source, const char *name, size_t min, size_t max,
                 const cJSON **array)
{
    const cJSON *item = find(source, name);
    size_t size;

    if (!cJSON_IsArray(item))
        return field_fail(source, name, "must be an array");
    size = (size_t)cJSON_GetArraySize(item);
    if (size < min || size > max)
        return field_fail(source, name, "must have %zu to %zu elements", min, max);
    *array = item;
    return true;
}
