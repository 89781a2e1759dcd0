/* no_tls.c: implements tls.h for a hiredis without TLS: every connection by TLS is refused. */
#include <stdio.h>

#include "cluster/redis/tls.h"

static void write_reason(char *text, size_t size)
{
    snprintf(text, size,
             "this build has no TLS: build it with hiredis_ssl (hiredis 1.0 or newer)");
}

bool tls_check(const struct uri *uri, char *text, size_t size)
{
    (void)uri;
    write_reason(text, size);
    return false;
}

void tls_free(struct tls_store *store)
{
    (void)store;
}

struct ssl_st *tls_begin(struct tls_store *store, redisContext *context, const struct uri *uri,
                         const char *host, char *text, size_t size)
{
    (void)store;
    (void)context;
    (void)uri;
    (void)host;
    write_reason(text, size);
    return NULL;
}

void tls_clear_errors(void)
{
}

bool tls_wants_read(const struct ssl_st *tls)
{
    (void)tls;
    return false;
}

void tls_explain(const struct ssl_st *tls, char *text, size_t size)
{
    (void)tls;
    write_reason(text, size);
}
