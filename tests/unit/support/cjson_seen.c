/* cjson_seen.c: cJSON's parser with its global variable visible to ThreadSanitizer. */
#include "support/cjson_seen.h"

#include <string.h>

#include <cjson/cJSON.h>
#include <dlfcn.h>

unsigned long cjson_seen;

typedef cJSON *parser(const char *text, size_t length, const char **end,
                      cJSON_bool whole); /* of cJSON_ParseWithLengthOpts() */

cJSON *cJSON_ParseWithLengthOpts(const char *text, size_t length, const char **end,
                                 cJSON_bool whole)
{
    void *next = dlsym(RTLD_NEXT, "cJSON_ParseWithLengthOpts");
    parser *parse;

    memcpy(&parse, &next, sizeof parse);
    cjson_seen++;
    return parse(text, length, end, whole);
}

cJSON *cJSON_ParseWithLength(const char *text, size_t length)
{
    return cJSON_ParseWithLengthOpts(text, length, NULL, 0);
}

cJSON *cJSON_ParseWithOpts(const char *text, const char **end, cJSON_bool whole)
{
    return cJSON_ParseWithLengthOpts(text, strlen(text) + 1, end, whole);
}

cJSON *cJSON_Parse(const char *text)
{
    return cJSON_ParseWithOpts(text, NULL, 0);
}
