/* tls_socket.c: the socket as OpenSSL sees it, a BIO with a limit on what it reads.
 * stream_tls.c sets the limit. */
#include "server/parts/tls_socket.h"

#include <errno.h>
#include <sys/socket.h>

static int refuse(BIO *bio)
{
    BIO_clear_retry_flags(bio);
    errno = EPROTO;
    return -1;
}

static int receive(BIO *bio, char *bytes, int size)
{
    struct tls_socket *socket = BIO_get_data(bio);
    size_t wanted = (size_t)size < socket->may_read ? (size_t)size : socket->may_read;
    ssize_t length;

    if (socket->refused != NULL)
        return refuse(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0 || wanted == 0) {
        BIO_set_retry_read(bio);
        errno = EAGAIN;
        return -1;
    }
    length = recv(socket->fd, bytes, wanted, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_read(bio);
    if (length > 0)
        socket->may_read -= (size_t)length;
    socket->eof = length == 0;
    if (length > 0 && socket->awaits_hello &&
        !tls_hello_may_go_on(&socket->hello, bytes, (size_t)length)) {
        socket->refused = "the ClientHello is too large";
        return refuse(bio);
    }
    return (int)length;
}

static int transmit(BIO *bio, const char *bytes, int size)
{
    const struct tls_socket *socket = BIO_get_data(bio);
    ssize_t length = size > 0 ? send(socket->fd, bytes, (size_t)size, MSG_NOSIGNAL) : 0;

    BIO_clear_retry_flags(bio);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        BIO_set_retry_write(bio);
    return (int)length;
}

static long control(BIO *bio, int command, long number, void *pointer)
{
    const struct tls_socket *socket = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_EOF:
        return socket->eof;
    case BIO_CTRL_FLUSH:
        return 1;
    default:
        return 0;
    }
}

BIO_METHOD *tls_socket_method(void)
{
    BIO_METHOD *method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "non-blocking socket");

    if (method == NULL || BIO_meth_set_read(method, receive) != 1 ||
        BIO_meth_set_write(method, transmit) != 1 || BIO_meth_set_ctrl(method, control) != 1) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

BIO *tls_socket_bio(const BIO_METHOD *method, struct tls_socket *socket)
{
    BIO *bio = BIO_new(method);

    if (bio != NULL) {
        BIO_set_data(bio, socket);
        BIO_set_init(bio, 1);
    }
    return bio;
}
