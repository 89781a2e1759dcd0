/* zlib_memory.h: zlib, allocating by the host's allocator.
 * Not here: what zlib is used for (deflate.h, inflate.h). */
#ifndef WS_TRANSPORT_WEBSOCKET_ZLIB_MEMORY_H
#define WS_TRANSPORT_WEBSOCKET_ZLIB_MEMORY_H

#define ZLIB_CONST /* what zlib reads is const */
#include <zlib.h>

#include "base/memory.h"

/* Before zlib initializes the stream. It keeps the pointer to the owner's pointer. */
void zlib_memory_use(z_stream *stream, const ws_allocator **memory);

#endif
