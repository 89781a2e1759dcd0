/* uri.h: where Redis is and who we are there, read from one text.
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
    struct place hosts[URI_MAX_HOSTS]; /* of sentinels, if it is by these */
    size_t n_hosts;
    char *user; /* NULL: none */
    char *password;
    char *database; /* a number; NULL: not chosen */
    uint64_t timeout_ms;
    bool is_unix;
    bool is_tls;
    char *ca; /* paths of PEM files; NULL: none */
    char *cert;
    char *key;
    bool is_sentinel;
    char *master; /* the name by which sentinels know it */
    char *sentinel_user;
    char *sentinel_password;
};

/* Reads it. NULL, or what is wrong with it, which is uri_no_memory when memory ran out. What
 * was set is freed by uri_free() in any case. */
const char *uri_read(struct uri *uri, const ws_allocator *memory, const char *text);

extern const char uri_no_memory[];

void uri_free(struct uri *uri, const ws_allocator *memory);

#endif
