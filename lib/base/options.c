/* options.c: copies option structs of callers that were compiled against another version. */
#include "base/options.h"

#include <string.h>

static bool read_size(const void *from, size_t *size)
{
    memcpy(size, from, sizeof *size);
    return *size >= sizeof *size && *size <= OPTIONS_LARGEST;
}

bool options_copy(void *to, size_t to_size, const void *from)
{
    size_t size;

    if (from == NULL)
        return true;
    if (!read_size(from, &size))
        return false;
    for (size_t at = to_size; at < size; at++)
        if (((const char *)from)[at] != 0)
            return false;
    memcpy(to, from, size < to_size ? size : to_size);
    memcpy(to, &to_size, sizeof to_size);
    return true;
}

void options_init(void *to, size_t size, const void *defaults, size_t defaults_size)
{
    if (to == NULL)
        return;
    memset(to, 0, size);
    memcpy(to, defaults, size < defaults_size ? size : defaults_size);
    memcpy(to, &size, sizeof size);
}

bool options_fill(void *to, const void *values, size_t values_size)
{
    size_t size;

    if (!read_size(to, &size))
        return false;
    options_init(to, size, values, values_size);
    return true;
}
