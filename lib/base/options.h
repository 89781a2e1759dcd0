/* options.h: copying the option structs of callers that were compiled against another version. */
#ifndef WS_BASE_OPTIONS_H
#define WS_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* Every public option struct begins with `size_t size`. Copies `from` (NULL: nothing) over the
 * defaults in `to`, of to_size bytes: a shorter struct, of an older version, sets its fields
 * alone; of a longer one, of a newer version, the part that this library doesn't know must be
 * zero. False for a size that can't be, or an unknown part that is set. */
bool options_copy(void *to, size_t to_size, const void *from);

/* Sets up a caller's struct, of `size` bytes by the headers that it was compiled with: the
 * defaults that it has room for, zero in what this library doesn't know. */
void options_init(void *to, size_t size, const void *defaults, size_t defaults_size);

#endif
