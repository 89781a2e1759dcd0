/* options.h: copies option structs of callers that were compiled against another version. */
#ifndef WS_BASE_OPTIONS_H
#define WS_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

/* No version of any struct will be larger. Without this limit an uninitialized `size` would make
 * options_copy() read far beyond the struct. */
enum { OPTIONS_LARGEST = 4096 };

/* Copies `from` over the defaults in `to`, which has to_size bytes. Every public option struct
 * begins with `size_t size`. A shorter struct, from an older version, sets only its own fields.
 * In a longer struct, from a newer version, the part that this library does not know must be
 * zero. False if that part is not zero or `size` is impossible. If `from` is NULL, nothing is
 * copied. */
bool options_copy(void *to, size_t to_size, const void *from);

/* Fills in a caller's struct, which has `size` bytes in the headers that the caller was compiled
 * with: the defaults as far as they fit, and zero in the part that this library does not know. */
void options_init(void *to, size_t size, const void *defaults, size_t defaults_size);

/* Fills in a struct whose `size` its caller has set, as options_init() does. False, and nothing is
 * written, if `size` is impossible. */
bool options_fill(void *to, const void *values, size_t values_size);

#endif
