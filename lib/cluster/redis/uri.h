/* uri.h: parses the URI with the addresses of Redis and our credentials.
 * Not here: connecting (link.h). */
#ifndef WS_REDIS_URI_H
#define WS_REDIS_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"
#include "cluster/redis/place.h"

enum { URI_MAX_HOSTS = 16 };

struct uri {
    struct place hosts[URI_MAX_HOSTS]; /* with is_sentinel: the sentinels */
    size_t n_hosts;
    char *user; /* NULL: none */
    char *password;
    char *database; /* a number; NULL: the default */
    uint64_t timeout_ms;
    bool is_unix;
    bool is_tls;
    char *ca; /* paths of PEM files; NULL: none */
    char *cert;
    char *key;
    bool is_sentinel;
    char *master; /* its name at the sentinels */
    char *sentinel_user;
    char *sentinel_password;
};

/* Parses `text`. Returns NULL, or one line that says what is wrong: uri_no_memory if memory ran
 * out. Call uri_free() in any case. */
const char *uri_read(struct uri *uri, const ws_allocator *memory, const char *text);

extern const char uri_no_memory[];

void uri_free(struct uri *uri, const ws_allocator *memory);

#endif
