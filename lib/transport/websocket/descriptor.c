/* descriptor.c: reads from and writes to a WebSocket's socket, for hosts without an I/O layer. */
#include <ws_manager/descriptor.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

#include <ws_manager/websocket.h>

enum {
    READ_BYTES = 16 * 1024, /* on the stack of the host's thread */
    MAX_READS = 4,          /* then other clients have their turn */
    MAX_PIECES = 64
};

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

int ws_websocket_read_fd(ws_websocket *websocket, int fd)
{
    char bytes[READ_BYTES];

    if (websocket == NULL || fd < 0)
        return WS_ERR_INVALID;
    for (int i = 0; i < MAX_READS && ws_websocket_wants_read(websocket); i++) {
        ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        int result;

        if (n < 0 && would_block())
            break;
        if (n <= 0) {
            ws_websocket_eof(websocket);
            break;
        }
        result = ws_websocket_receive(websocket, bytes, (size_t)n);
        if (result != WS_OK)
            return result;
        if ((size_t)n < sizeof bytes)
            break;
    }
    return ws_websocket_ended(websocket) ? WS_ERR_CLOSED : WS_OK;
}

static size_t length_of(const struct iovec *pieces, int n_pieces)
{
    size_t length = 0;

    for (int i = 0; i < n_pieces; i++)
        length += pieces[i].iov_len;
    return length;
}

int ws_websocket_write_fd(ws_websocket *websocket, int fd)
{
    struct iovec pieces[MAX_PIECES];
    int n_pieces;

    if (websocket == NULL || fd < 0)
        return WS_ERR_INVALID;
    while ((n_pieces = ws_websocket_output(websocket, pieces, MAX_PIECES)) > 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)n_pieces};
        ssize_t n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        int result;

        if (n < 0 && !would_block())
            return WS_ERR_CLOSED;
        if (n < 0)
            n = 0; /* it is not listed again before the host asks for output */
        result = ws_websocket_sent(websocket, (size_t)n);
        if (result != WS_OK)
            return result;
        if ((size_t)n < length_of(pieces, n_pieces))
            return WS_ERR_BACKPRESSURE;
    }
    return ws_websocket_ended(websocket) ? WS_ERR_CLOSED : WS_OK;
}
