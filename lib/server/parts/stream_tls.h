/* stream_tls.h: one connection's bytes through TLS, for stream.h alone.
 * The certificate and the settings are tls.h. */
#ifndef WS_SERVER_STREAM_TLS_H
#define WS_SERVER_STREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct tls;
struct stream_tls;

/* The handshake is part of the first reads. NULL when memory is short. */
struct stream_tls *stream_tls_new(struct tls *tls, int fd);

/* Sends close_notify if the socket takes it at once. NULL does nothing. */
void stream_tls_free(struct stream_tls *stream);

bool stream_tls_in_handshake(const struct stream_tls *stream);
bool stream_tls_awaits_handshake(const struct stream_tls *stream);

/* After a read that returned data: whether another one in the same turn is worth its cost. */
bool stream_tls_may_have_more(const struct stream_tls *stream);

/* Like the functions of stream.h; errno is EPROTO for an error of TLS itself. Written bytes count
 * as taken even if they wait here for the socket, because a record that was begun cannot be taken
 * back. */
ssize_t stream_tls_read(struct stream_tls *stream, void *buffer, size_t size);
ssize_t stream_tls_write(struct stream_tls *stream, const struct iovec *iov, int count);
ssize_t stream_tls_send_file(struct stream_tls *stream, int file, off_t *offset, size_t length);
bool stream_tls_flush(struct stream_tls *stream);
bool stream_tls_end(struct stream_tls *stream);

/* Call it when what arrives is read from the socket instead: it need not be ready for more than
 * that. */
void stream_tls_ignore_input(struct stream_tls *stream);

/* What the socket has to be ready for so that reading (EPOLLIN) and writing (EPOLLOUT) go on,
 * and back: TLS may have to write before it can read, and the other way round. */
uint32_t stream_tls_interest(const struct stream_tls *stream, uint32_t events);
uint32_t stream_tls_events(const struct stream_tls *stream, uint32_t events);

#endif
