/* tls.h: TLS to Redis, for rediss://. Redis shows a certificate for the host that is connected to, of
 * an authority that is trusted, or there is no connection. tls.c where hiredis has TLS, elsewhere no_tls.c. */
#ifndef WS_REDIS_TLS_H
#define WS_REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <hiredis/hiredis.h>

#include "cluster/redis/uri.h"

struct ssl_st; /* OpenSSL's SSL */

/* Whether connections by this URI can be begun, as far as that is up to us: TLS is there, and the
 * files can be read. False with one line in `text`. */
bool tls_check(const struct uri *uri, char *text, size_t size);

/* Begins TLS on a connection that has just been begun, to a server of that name, which may be an
 * address. The files are read each time, since
 * certificates are renewed. What it returns is the context's, which frees it; NULL with one line in
 * `text`. */
struct ssl_st *tls_begin(redisContext *context, const struct uri *uri, const char *host,
                         char *text, size_t size);

/* To be called before hiredis reads or writes: what is left of the host's errors in OpenSSL would
 * be taken for one of this connection. */
void tls_clear_errors(void);

/* Whether it can't write before it has read, as in a handshake. Hiredis believes that after any
 * read that brought nothing. */
bool tls_wants_read(const struct ssl_st *tls);

/* The connection has failed: replaces `text` by why, if that was TLS's fault. */
void tls_explain(const struct ssl_st *tls, char *text, size_t size);

#endif
