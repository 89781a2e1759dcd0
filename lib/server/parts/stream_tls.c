/* stream_tls.c: one connection's bytes through TLS, on its non-blocking socket.
 * The certificate and the settings are in tls.c. */
#include "server/parts/stream_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/parts/buffer.h"
#include "server/parts/server_log.h"
#include "server/parts/tls.h"
#include "server/parts/tls_socket.h"

enum {
    RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH,
    /* What one call of OpenSSL may read: a record, whatever was read of it before. A client may
     * send what OpenSSL answers or swallows within the call (updates of its keys, alerts, empty
     * records, pieces of a handshake) for as long as it likes. */
    READ_BYTES = SSL3_RT_MAX_PACKET_SIZE,
    /* Records without data: a handshake has fewer than ten, an update of the keys is one. Each
     * costs more than its bytes, so a record with data makes up for only some of them. */
    MOST_WITHOUT_DATA = 32,
    MADE_UP_BY_DATA = 8
};

struct stream_tls {
    struct tls *tls;
    SSL *ssl; /* NULL until the client sends: a silent one would cost 9 KB */
    struct tls_socket socket;
    unsigned without_data; /* such records, less those that others with data made up for */
    bool was_costly;       /* the last read went through records without data */
    uint32_t read_needs;   /* what the socket has to be ready for before reading goes on */
    uint32_t write_needs;  /* what the socket has to be ready for before writing goes on */
    bool broken;           /* reading and writing are no longer possible */
    bool ended;            /* our close_notify was written */
    /* What the socket did not take all of: OpenSSL insists on the same bytes again, while the
     * writer may change its mind about what it has not written yet. */
    struct byte_buffer pending;
};

/* Another hello of the client follows no message of the server but its hello, which may ask for it:
 * a HelloRetryRequest (RFC 8446 §4.1.4). */
static void note_written(struct stream_tls *stream, int content_type,
                         const unsigned char *bytes, size_t length)
{
    if (content_type == SSL3_RT_HANDSHAKE && length > 0 && bytes[0] != SSL3_MT_SERVER_HELLO)
        stream->socket.awaits_hello = false;
}

/* Sees every message that is written, and every record's header before the record is decrypted. */
static void watch_protocol(int is_written, int version, int content_type, const void *bytes,
                           size_t length, SSL *ssl, void *user_data)
{
    struct stream_tls *stream = user_data;

    (void)version;
    (void)ssl;
    if (is_written)
        note_written(stream, content_type, bytes, length);
    else if (content_type == SSL3_RT_HEADER && ++stream->without_data > MOST_WITHOUT_DATA)
        stream->socket.refused = "too many records without data";
}

struct stream_tls *stream_tls_new(struct tls *tls, int fd)
{
    struct stream_tls *stream = malloc(sizeof *stream);

    if (stream == NULL)
        return NULL;
    *stream = (struct stream_tls){.tls = tls,
                                  .socket = {.fd = fd, .awaits_hello = true},
                                  .read_needs = EPOLLIN,
                                  .write_needs = EPOLLOUT};
    return stream;
}

void stream_tls_free(struct stream_tls *stream)
{
    if (stream == NULL)
        return;
    stream_tls_end(stream);
    SSL_free(stream->ssl);
    byte_buffer_free(&stream->pending);
    free(stream);
}

/* Sets errno to the reason why a call of OpenSSL failed. */
static void set_failure(struct stream_tls *stream, int result, uint32_t *needs)
{
    int system_error = errno;

    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        *needs = EPOLLIN;
        errno = EAGAIN;
        return;
    case SSL_ERROR_WANT_WRITE:
        *needs = EPOLLOUT;
        errno = EAGAIN;
        return;
    case SSL_ERROR_SSL:
        server_log_line(tls_log(stream->tls), WS_LOG_DEBUG, "TLS: %s", tls_problem());
        errno = EPROTO;
        break;
    default:
        if (stream->socket.refused != NULL)
            server_log_line(tls_log(stream->tls), WS_LOG_DEBUG, "TLS: %s",
                            stream->socket.refused);
        errno = system_error != 0 ? system_error : ECONNRESET;
        break;
    }
    stream->broken = true;
}

static bool open_ssl(struct stream_tls *stream)
{
    stream->ssl = tls_accept(stream->tls, &stream->socket);
    if (stream->ssl == NULL) {
        stream->broken = true;
        errno = ENOMEM;
        return false;
    }
    SSL_set_msg_callback(stream->ssl, watch_protocol);
    SSL_set_msg_callback_arg(stream->ssl, stream);
    return true;
}

/* Call it before each call of OpenSSL, which looks for its errors in a queue of the thread. */
static bool begin(struct stream_tls *stream)
{
    if (stream->broken) {
        errno = EPIPE;
        return false;
    }
    stream->socket.may_read = READ_BYTES;
    ERR_clear_error();
    errno = 0;
    return stream->ssl != NULL || open_ssl(stream);
}

bool stream_tls_in_handshake(const struct stream_tls *stream)
{
    return stream->ssl == NULL || !SSL_is_init_finished(stream->ssl);
}

bool stream_tls_awaits_handshake(const struct stream_tls *stream)
{
    return stream->ssl == NULL;
}

bool stream_tls_may_have_more(const struct stream_tls *stream)
{
    return !stream->was_costly;
}

/* The last record, which was counted too, brought data. */
static void count_data(struct stream_tls *stream, unsigned without_data_before)
{
    unsigned made_up = MADE_UP_BY_DATA + 1;

    stream->was_costly = stream->without_data > without_data_before + 1;
    stream->without_data -= stream->without_data < made_up ? stream->without_data : made_up;
}

ssize_t stream_tls_read(struct stream_tls *stream, void *buffer, size_t size)
{
    unsigned without_data = stream->without_data;
    size_t length;
    int result;

    if (!begin(stream))
        return -1;
    result = SSL_read_ex(stream->ssl, buffer, size, &length);
    if (result != 1 && SSL_get_error(stream->ssl, result) == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (result != 1) {
        set_failure(stream, result, &stream->read_needs);
        return -1;
    }
    stream->read_needs = EPOLLIN;
    count_data(stream, without_data);
    return (ssize_t)length;
}

void stream_tls_ignore_input(struct stream_tls *stream)
{
    stream->read_needs = EPOLLIN;
}

/* Writes at most RECORD_BYTES: all of them, or false. A client with max_fragment_length receives
 * them in several records, and OpenSSL remembers those that were written. */
static bool write_record(struct stream_tls *stream, const void *bytes, size_t length)
{
    size_t written;
    int result;

    if (!begin(stream))
        return false;
    result = SSL_write_ex(stream->ssl, bytes, length, &written);
    if (result != 1) {
        set_failure(stream, result, &stream->write_needs);
        return false;
    }
    stream->write_needs = EPOLLOUT;
    return true;
}

bool stream_tls_flush(struct stream_tls *stream)
{
    struct byte_buffer *pending = &stream->pending;

    if (byte_buffer_length(pending) == 0)
        return true;
    if (!write_record(stream, byte_buffer_bytes(pending), byte_buffer_length(pending)))
        return false;
    byte_buffer_consume(pending, byte_buffer_length(pending));
    return true;
}

/* Writes a record, or keeps it if the socket is full. False with errno. */
static bool take_record(struct stream_tls *stream, const void *bytes, size_t length)
{
    if (write_record(stream, bytes, length))
        return true;
    if (errno != EAGAIN)
        return false;
    if (!byte_buffer_append(&stream->pending, bytes, length)) {
        stream->broken = true;
        errno = ENOMEM;
        return false;
    }
    return true;
}

/* Where in a list of pieces the next record begins. */
struct cursor {
    const struct iovec *iov;
    int count;
    size_t offset; /* in the first of them */
};

/* The next record's bytes: where they are, if they are in one piece, else gathered in `record`. */
static const void *next_record(struct cursor *cursor, char record[RECORD_BYTES], size_t *length)
{
    const void *bytes = record;

    *length = 0;
    while (cursor->count > 0 && *length < RECORD_BYTES) {
        const char *piece = (const char *)cursor->iov->iov_base + cursor->offset;
        size_t left = cursor->iov->iov_len - cursor->offset;
        size_t part = left < RECORD_BYTES - *length ? left : RECORD_BYTES - *length;
        bool whole_record = part == RECORD_BYTES || (*length == 0 && cursor->count == 1);

        if (whole_record)
            bytes = piece;
        else
            memcpy(record + *length, piece, part);
        *length += part;
        cursor->offset += part;
        if (part == left) {
            cursor->iov++;
            cursor->count--;
            cursor->offset = 0;
        }
    }
    return bytes;
}

ssize_t stream_tls_write(struct stream_tls *stream, const struct iovec *iov, int count)
{
    struct cursor cursor = {.iov = iov, .count = count};
    char record[RECORD_BYTES];
    ssize_t taken = 0;

    while (cursor.count > 0 && stream_tls_flush(stream)) {
        size_t length;
        const void *bytes = next_record(&cursor, record, &length);

        if (!take_record(stream, bytes, length))
            return -1;
        taken += (ssize_t)length;
    }
    return taken > 0 ? taken : -1;
}

ssize_t stream_tls_send_file(struct stream_tls *stream, int file, off_t *offset, size_t length)
{
    char record[RECORD_BYTES];
    ssize_t got;

    if (!stream_tls_flush(stream))
        return -1;
    got = pread(file, record, length < RECORD_BYTES ? length : RECORD_BYTES, *offset);
    if (got > 0) {
        if (!take_record(stream, record, (size_t)got))
            return -1;
        *offset += got;
    }
    return got;
}

bool stream_tls_end(struct stream_tls *stream)
{
    int result;

    if (stream->ssl == NULL)
        return true;
    if (!stream_tls_flush(stream) || !begin(stream))
        return false;
    if (stream->ended || !SSL_is_init_finished(stream->ssl))
        return true;
    result = SSL_shutdown(stream->ssl);
    if (result < 0) {
        set_failure(stream, result, &stream->write_needs);
        return false;
    }
    stream->ended = true;
    return true;
}

uint32_t stream_tls_interest(const struct stream_tls *stream, uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? stream->read_needs : 0) |
           ((events & EPOLLOUT) != 0 ? stream->write_needs : 0);
}

uint32_t stream_tls_events(const struct stream_tls *stream, uint32_t events)
{
    return (events & (EPOLLERR | EPOLLHUP)) |
           ((events & stream->read_needs) != 0 ? EPOLLIN : 0) |
           ((events & stream->write_needs) != 0 ? EPOLLOUT : 0);
}
