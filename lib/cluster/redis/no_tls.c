/* no_tls.c: what there is of tls.h where hiredis has no TLS. */
#include <stdio.h>

#include "cluster/redis/tls.h"

static void say_why(char *text, size_t size)
{
    snprintf(text, size, "this build has no TLS: it needs hiredis' library hiredis_ssl");
}

bool tls_check(const struct uri *uri, char *text, size_t size)
{
    (void)uri;
    say_why(text, size);
    return false;
}

struct ssl_st *tls_begin(redisContext *context, const struct uri *uri, const char *host,
                         char *text, size_t size)
{
    (void)context;
    (void)uri;
    (void)host;
    say_why(text, size);
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
    say_why(text, size);
}
