/* no_tls.c: implements tls.h and stream_tls.h for a build without OpenSSL's libssl: a server
 * with TLS cannot be started, so no connection has any. */
#include <errno.h>
#include <stdio.h>

#include "server/parts/stream_tls.h"
#include "server/parts/tls.h"

struct tls *tls_open(const char *cert_file, const char *key_file, const struct server_log *log,
                     char *problem, size_t problem_size)
{
    (void)cert_file;
    (void)key_file;
    (void)log;
    snprintf(problem, problem_size,
             "tls_cert_file: this build has no TLS: build it with OpenSSL 3");
    return NULL;
}

void tls_close(struct tls *tls)
{
    (void)tls;
}

bool tls_reload(struct tls *tls)
{
    (void)tls;
    return false;
}

struct stream_tls *stream_tls_new(struct tls *tls, int fd)
{
    (void)tls;
    (void)fd;
    return NULL;
}

void stream_tls_free(struct stream_tls *stream)
{
    (void)stream;
}

bool stream_tls_in_handshake(const struct stream_tls *stream)
{
    (void)stream;
    return false;
}

bool stream_tls_awaits_handshake(const struct stream_tls *stream)
{
    (void)stream;
    return false;
}

bool stream_tls_may_have_more(const struct stream_tls *stream)
{
    (void)stream;
    return false;
}

static ssize_t fail(void)
{
    errno = EPROTO;
    return -1;
}

ssize_t stream_tls_read(struct stream_tls *stream, void *buffer, size_t size)
{
    (void)stream;
    (void)buffer;
    (void)size;
    return fail();
}

ssize_t stream_tls_write(struct stream_tls *stream, const struct iovec *iov, int count)
{
    (void)stream;
    (void)iov;
    (void)count;
    return fail();
}

ssize_t stream_tls_send_file(struct stream_tls *stream, int file, off_t *offset, size_t length)
{
    (void)stream;
    (void)file;
    (void)offset;
    (void)length;
    return fail();
}

bool stream_tls_flush(struct stream_tls *stream)
{
    (void)stream;
    return true;
}

bool stream_tls_end(struct stream_tls *stream)
{
    (void)stream;
    return true;
}

void stream_tls_ignore_input(struct stream_tls *stream)
{
    (void)stream;
}

uint32_t stream_tls_interest(const struct stream_tls *stream, uint32_t events)
{
    (void)stream;
    return events;
}

uint32_t stream_tls_events(const struct stream_tls *stream, uint32_t events)
{
    (void)stream;
    return events;
}
