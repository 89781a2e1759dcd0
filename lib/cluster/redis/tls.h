/* tls.h: TLS to Redis, for rediss://. Redis must present a certificate for the host, from a trusted
 * authority. Implemented by tls.c if hiredis supports TLS, by no_tls.c if it does not. */
#ifndef WS_REDIS_TLS_H
#define WS_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include <hiredis/hiredis.h>

#include "cluster/redis/uri.h"

struct ssl_st;     /* OpenSSL's SSL */
struct ssl_ctx_st; /* OpenSSL's SSL_CTX */

/* A file as it was; all zero: there is none. */
struct tls_file {
    dev_t device;
    ino_t number;
    off_t size;
    struct timespec modified;
};

enum { TLS_FILES = 4 }; /* cert, key, and ca or the system's file and folder of authorities */

/* What was read from the files, for all connections of a carrier. Begins with all zero. */
struct tls_store {
    struct ssl_ctx_st *context; /* NULL: nothing was read yet */
    struct tls_file files[TLS_FILES];
};

/* Checks what can be checked before connecting: that TLS is supported and the URI's files can be
 * loaded. On failure returns false and writes one line to `text`. */
bool tls_check(const struct uri *uri, char *text, size_t size);

/* Frees the contents of a store. Connections that began with it go on. */
void tls_free(struct tls_store *store);

/* Starts TLS on a new connection to `host`, a name or an address. The files are read if they
 * have changed since the last time, because certificates are renewed: reading them takes the
 * loop's thread milliseconds, and a process may try to connect many times. `context` owns the
 * returned object. On failure returns NULL and writes one line to `text`. */
struct ssl_st *tls_begin(struct tls_store *store, redisContext *context, const struct uri *uri,
                         const char *host, char *text, size_t size);

/* Clears OpenSSL's error queue. Call it before hiredis reads or writes: an error that the host left
 * there would be taken for an error of this connection. */
void tls_clear_errors(void);

/* True if OpenSSL must read before it can write, as in a handshake. hiredis assumes that after
 * every read that returned no data. */
bool tls_wants_read(const struct ssl_st *tls);

/* Replaces `text` by the reason why the connection failed, if TLS was the cause. */
void tls_explain(const struct ssl_st *tls, char *text, size_t size);

#endif
