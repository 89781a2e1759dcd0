/* peer.h: what stands between a node and its Redis: it passes bytes on until it is told to do
 * otherwise. A process of its own. Not here: Redis itself (server.h). For one thread. */
#ifndef REDIS_TESTS_PEER_H
#define REDIS_TESTS_PEER_H

#include <sys/types.h>

enum { PEER_MAX_TEXT = 256 };

enum peer_way {
    PEER_PASSES, /* what comes from either side; if n > 0, so many bytes in a millisecond at most */
    PEER_CUTS_REQUESTS, /* passes `n` bytes more to Redis, then ends all connections, and passes */
    PEER_CUTS_REPLIES, /* the same with bytes from Redis */
    PEER_SAYS,         /* `text` for all that comes; Redis hears nothing */
    PEER_GREETS,       /* the same, and at once */
    PEER_MOVES,        /* to the Redis at port `n`: ends all connections, and passes */
    PEER_DRIPS         /* `text` at once, then without end 'x', `n` bytes in a millisecond */
};

struct peer {
    pid_t pid;
    int port;
    int orders; /* a socket */
    char uri[128];
};

void peer_start(struct peer *peer, int redis_port);

/* From now on; when this returns it knows. */
void peer_order(struct peer *peer, enum peer_way way, size_t n, const char *text);

void peer_end(struct peer *peer);

#endif
