/* json_text.c: parses a request's body into a cJSON tree, strictly by RFC 8259.
 * Fields are read in json_fields.c. */
#include "json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* cJSON accepts more than JSON: control characters in strings and as blanks, numbers like 01 and
 * 1., escapes like \ud8x, and \u0000, which ends its strings. So the tokens are checked here.
 * cJSON checks how they nest, up to more levels than lib/base/json_text.h knows. */

static const char *skip_digits(const char *at)
{
    while (*at >= '0' && *at <= '9')
        at++;
    return at;
}

/* The end of the number at `at`; NULL if it is not one (RFC 8259 §6). */
static const char *skip_number(const char *at)
{
    const char *digits;

    at += *at == '-';
    digits = at;
    at = skip_digits(at);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (*at == '.') {
        digits = ++at;
        at = skip_digits(at);
        if (at == digits)
            return NULL;
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        digits = at;
        at = skip_digits(at);
        if (at == digits)
            return NULL;
    }
    return at;
}

/* The end of the string whose first quote is at `at`; NULL if it is not one, or has a NUL. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at != '\\')
            continue;
        at++;
        if (*at == '\0' || strchr("\"\\/bfnrtu", *at) == NULL)
            return NULL;
        if (*at == 'u' &&
            (strspn(at + 1, "0123456789abcdefABCDEF") < 4 || strncmp(at + 1, "0000", 4) == 0))
            return NULL;
    }
    return at + 1;
}

/* A body of 1 MiB could have half a million values, whose tree takes 50 ms and 33 MB. The largest
 * order has some 300. */
enum { MOST_VALUES = 10000 };

/* Also counts the values, if the text is JSON. */
static bool tokens_are_strict(const char *text, size_t length, size_t *n_values)
{
    const char *at = text;
    const char *end = text + length;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at);
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            at = skip_number(at);
        } else if (*at != '\0' && strchr(" \t\r\n{}[]:,truefalsn", *at) != NULL) {
            *n_values += *at == ',' || *at == '[' || *at == '{';
            at++;
        } else {
            return false;
        }
        if (at == NULL)
            return false;
    }
    return true;
}

cJSON *json_text_parse_object(const char *text, size_t length, const char **problem)
{
    size_t n_values = 0;
    cJSON *json;

    if (!utf8_valid(text, length)) {
        *problem = "the body is not UTF-8";
        return NULL;
    }
    if (!tokens_are_strict(text, length, &n_values)) {
        *problem = "the body is not JSON";
        return NULL;
    }
    if (n_values > MOST_VALUES) {
        *problem = "the body has more than 10,000 values";
        return NULL;
    }
    /* Threads may parse at the same time as long as none of the process calls
     * cJSON_GetErrorPtr() ("Thread Safety" in cJSON's README): a large body must not delay
     * those of other threads. A lack of memory is reported only through malloc()'s errno. */
    errno = 0;
    json = cJSON_ParseWithLengthOpts(text, length + 1, NULL, 1);
    if (json == NULL) {
        *problem = errno == ENOMEM ? NULL : "the body is not JSON";
        return NULL;
    }
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        *problem = "the body is not a JSON object";
        return NULL;
    }
    return json;
}
