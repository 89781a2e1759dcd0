/* form.h: the form of messages in an event stream (WHATWG HTML, "Server-sent events"): made once
 * for all clients of a kind, and shared. Not here: the stream (stream.h). */
#ifndef WS_TRANSPORT_SSE_FORM_H
#define WS_TRANSPORT_SSE_FORM_H

#include <ws_manager/websocket.h>

#include "core/transport/transport_side.h"

/* How a client's stream is encoded: bits of a set. */
enum form_flags {
    FORM_CHUNKED = 1, /* in the chunks of HTTP/1.1 (RFC 9112 §7.1) */
    FORM_GZIP = 2,    /* in blocks of DEFLATE (RFC 1951) after a gzip header */
    FORM_SETS = 4     /* how many sets there are */
};

/* Makes the form of a message that does not have it yet, for form_of_message(). */
struct frames *form_make(ws_loop *loop, ws_message *message, unsigned flags,
                         const ws_endpoint_options *options);

/* Returns the form of a text message for clients with these flags, compressed if it has at least
 * deflate_min_bytes. It lives as long as the message; no reference is taken. The turn is charged
 * if the form has to be made. NULL if memory ran out, or the form would be longer than 4 GiB. */
static inline struct frames *form_of_message(ws_loop *loop, ws_message *message, unsigned flags,
                                             const ws_endpoint_options *options)
{
    const struct frames_variant *variant =
        frames_find_variant(&message->frames, FORM_SSE + (int)flags);

    return variant != NULL ? variant->form : form_make(loop, message, flags, options);
}

/* Makes the form of lines that are for one client alone, not compressed. With FORM_GZIP and
 * `is_first` a gzip header precedes them. NULL if memory ran out. */
struct frames *form_of_lines(const ws_allocator *memory, const char *lines, size_t length,
                             unsigned flags, bool is_first);

/* The end of the stream: its last chunk, or nothing. */
#define FORM_LAST_CHUNK "0\r\n\r\n"

#endif
