/* zlib_memory.c: makes zlib allocate with the host's allocator. */
#include "transport/shared/zlib_memory.h"

static void *zlib_alloc(void *opaque, unsigned items, unsigned size)
{
    const ws_allocator **memory = opaque;

    return memory_alloc(*memory, (size_t)items * size);
}

static void zlib_free(void *opaque, void *block)
{
    const ws_allocator **memory = opaque;

    memory_free(*memory, block);
}

void zlib_memory_use(z_stream *stream, const ws_allocator **memory)
{
    stream->zalloc = zlib_alloc;
    stream->zfree = zlib_free;
    stream->opaque = memory;
}
