/* core_count.h: how many threads can run at once. */
#ifndef WS_BASE_CORE_COUNT_H
#define WS_BASE_CORE_COUNT_H

#include <stdint.h>

/* The number of processor cores that this process may use, 1 to `most`. */
uint32_t core_count(uint32_t most);

#endif
