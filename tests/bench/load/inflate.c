/* inflate.c: a payload that permessage-deflate compressed (RFC 7692, section 7.2.2). The
 * benchmark's messages are small, so a message that does not fit into the buffer is an error. */
#include "inflate.h"

#define ZLIB_CONST
#include <zlib.h>

enum { MAX_BYTES = 256 * 1024 };

static bool inflate_input(z_stream *stream, const unsigned char *data, size_t length)
{
    int result;

    stream->next_in = data;
    stream->avail_in = (uInt)length;
    result = inflate(stream, Z_SYNC_FLUSH);
    return (result == Z_OK || result == Z_BUF_ERROR) && stream->avail_in == 0;
}

bool inflate_frame(struct frame *frame)
{
    static const unsigned char tail[] = {0x00, 0x00, 0xFF, 0xFF};
    static unsigned char output[MAX_BYTES];
    z_stream stream = {0};
    bool is_good;

    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    stream.next_out = output;
    stream.avail_out = MAX_BYTES;
    is_good = inflate_input(&stream, frame->payload, frame->length) &&
              inflate_input(&stream, tail, sizeof tail);
    frame->payload = output;
    frame->length = MAX_BYTES - stream.avail_out;
    inflateEnd(&stream);
    return is_good;
}
