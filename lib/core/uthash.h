/* uthash.h: uthash as the library uses it: the host's allocator (a variable `memory` in scope),
 * no exit when memory runs out (the element is then not in the table: its hh.tbl is NULL). */
#ifndef WS_CORE_UTHASH_H
#define WS_CORE_UTHASH_H

#include "base/memory.h"

#define HASH_NONFATAL_OOM 1
#define uthash_malloc(bytes) memory_alloc(memory, bytes)
#define uthash_free(block, bytes) memory_free(memory, block)
#include <uthash.h>

#endif
