/* zlib_memory.h: makes zlib allocate with the host's allocator. Not here: compression
 * (deflate.h) and decompression (inflate.h). */
#ifndef WS_TRANSPORT_SHARED_ZLIB_MEMORY_H
#define WS_TRANSPORT_SHARED_ZLIB_MEMORY_H

#define ZLIB_CONST /* what zlib reads is const */
#include <zlib.h>

#include "base/memory.h"

/* Call it before zlib initializes the stream, which keeps the pointer to the owner's
 * pointer. */
void zlib_memory_use(z_stream *stream, const ws_allocator **memory);

#endif
