/* stream.c: a connection's bytes to and from its client, by the socket's calls or through TLS.
 * TLS is in stream_tls.c. */
#include "server/parts/stream.h"

#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

bool stream_begin(struct stream *stream, int fd, struct tls *tls, int epoll, void *pointer)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = pointer};

    *stream = (struct stream){.fd = fd, .watched = EPOLLIN};
    if (tls != NULL) {
        stream->tls = stream_tls_new(tls, fd);
        if (stream->tls == NULL)
            return false;
    }
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        stream_tls_free(stream->tls);
        return false;
    }
    return true;
}

void stream_leave(const struct stream *stream, int epoll)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, stream->fd, NULL);
}

bool stream_enter(struct stream *stream, int epoll, void *pointer)
{
    struct epoll_event event = {.data.ptr = pointer};

    stream->watched = 0;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, stream->fd, &event) == 0;
}

void stream_close(struct stream *stream)
{
    stream_tls_free(stream->tls);
    close(stream->fd);
}

ssize_t stream_read(struct stream *stream, void *buffer, size_t size)
{
    if (stream->tls != NULL)
        return stream_tls_read(stream->tls, buffer, size);
    return recv(stream->fd, buffer, size, 0);
}

/* tcp(7): with MSG_TRUNC the bytes are discarded. */
ssize_t stream_discard(struct stream *stream, void *buffer, size_t size)
{
    if (stream->tls != NULL)
        stream_tls_ignore_input(stream->tls);
    return recv(stream->fd, buffer, size, MSG_TRUNC);
}

ssize_t stream_write(struct stream *stream, struct iovec *iov, int count, int flags)
{
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};

    if (stream->tls != NULL)
        return stream_tls_write(stream->tls, iov, count);
    /* For one piece, send() costs the kernel less. */
    return count == 1 ? send(stream->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL | flags)
                      : sendmsg(stream->fd, &message, MSG_NOSIGNAL | flags);
}

ssize_t stream_send_file(struct stream *stream, int file, off_t *offset, size_t length)
{
    if (stream->tls != NULL)
        return stream_tls_send_file(stream->tls, file, offset, length);
    return sendfile(stream->fd, file, offset, length);
}

void stream_watch(struct stream *stream, int epoll, uint32_t events, void *pointer)
{
    struct epoll_event event = {.events = events, .data.ptr = pointer};

    if (stream->tls != NULL)
        event.events = stream_tls_interest(stream->tls, events) | (events & (uint32_t)EPOLLET);
    /* Changing what is watched needs no memory and so cannot fail. */
    if (event.events != stream->watched &&
        epoll_ctl(epoll, EPOLL_CTL_MOD, stream->fd, &event) == 0)
        stream->watched = event.events;
}
