/* uri.h: where Redis is and who we are there, read from one text.
 * Not here: connecting (link.h). */
#ifndef WS_REDIS_URI_H
#define WS_REDIS_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/memory.h"

struct uri {
    char *host; /* or the path of a Unix socket */
    char *user; /* NULL: none */
    char *password;
    char *database; /* a number; NULL: not chosen */
    uint64_t timeout_ms;
    uint16_t port;
    bool is_unix;
    bool is_tls;
    char *ca; /* paths of PEM files; NULL: none */
    char *cert;
    char *key;
};

/* Reads it. NULL, or what is wrong with it, which is uri_no_memory when memory ran out. What
 * was set is freed by uri_free() in any case. */
const char *uri_read(struct uri *uri, const ws_allocator *memory, const char *text);

extern const char uri_no_memory[];

void uri_free(struct uri *uri, const ws_allocator *memory);

#endif
