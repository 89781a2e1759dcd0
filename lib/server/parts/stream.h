/* stream.h: a connection's bytes to and from its client, by the socket's calls or through TLS.
 * The protocols are in connection.h. */
#ifndef WS_SERVER_STREAM_H
#define WS_SERVER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "server/parts/stream_tls.h"

struct stream {
    struct stream_tls *tls; /* NULL: the socket's own calls */
    int fd;
    uint32_t watched; /* what epoll watches the socket for */
};

/* Takes over an accepted socket, with TLS unless `tls` is NULL, and has `epoll` watch it for
 * input. False, and the socket is still the caller's, when memory is short. */
bool stream_begin(struct stream *stream, int fd, struct tls *tls, int epoll, void *pointer);

/* Takes the socket out of an epoll, and adds it to another one, which watches it for nothing yet.
 * False when memory is short. */
void stream_leave(const struct stream *stream, int epoll);
bool stream_enter(struct stream *stream, int epoll, void *pointer);

/* Closes the socket at once, which also takes it out of the epoll. */
void stream_close(struct stream *stream);

/* Like recv(): 0 at the end of what the client sends. The buffer has room for a TLS record. */
ssize_t stream_read(struct stream *stream, void *buffer, size_t size);

/* Like stream_read(), but throws away what was received, encrypted or not, without copying it. The
 * buffer is not written to. */
ssize_t stream_discard(struct stream *stream, void *buffer, size_t size);

/* Whether there may be more to read in this turn, after a read that asked for `size` bytes and
 * got `length`. TLS returns at most one record at a time. */
static inline bool stream_may_have_more(const struct stream *stream, size_t length, size_t size)
{
    return stream->tls != NULL ? stream_tls_may_have_more(stream->tls) : length == size;
}

/* Whether the handshake of TLS, which is costly, is still to be done. */
static inline bool stream_in_handshake(const struct stream *stream)
{
    return stream->tls != NULL && stream_tls_in_handshake(stream->tls);
}

/* Whether nothing of that handshake was received yet. */
static inline bool stream_awaits_handshake(const struct stream *stream)
{
    return stream->tls != NULL && stream_tls_awaits_handshake(stream->tls);
}

/* Like sendmsg(); `flags` may be MSG_MORE. */
ssize_t stream_write(struct stream *stream, struct iovec *iov, int count, int flags);

/* Like sendfile(). */
ssize_t stream_send_file(struct stream *stream, int file, off_t *offset, size_t length);

/* Writes to the socket what was buffered. False with errno, EAGAIN when the socket is full. */
static inline bool stream_flush(struct stream *stream)
{
    return stream->tls == NULL || stream_tls_flush(stream->tls);
}

/* Ends our side: flushes, and sends close_notify with TLS. The caller calls shutdown(). Result
 * like stream_flush(). */
static inline bool stream_end(struct stream *stream)
{
    return stream->tls == NULL || stream_tls_end(stream->tls);
}

/* Makes `epoll` report when reading (EPOLLIN) and writing (EPOLLOUT) can continue; with EPOLLET,
 * only once for what has arrived. */
void stream_watch(struct stream *stream, int epoll, uint32_t events, void *pointer);

/* Whether reading and writing can continue, from what epoll reported. */
static inline uint32_t stream_events(const struct stream *stream, uint32_t events)
{
    return stream->tls == NULL ? events : stream_tls_events(stream->tls, events);
}

#endif
