/* peer.h: a proxy between a node and its Redis: it passes bytes on until it is ordered to do
 * otherwise. A separate process. Not here: Redis itself (server.h). For one thread. */
#ifndef REDIS_TESTS_PEER_H
#define REDIS_TESTS_PEER_H

#include <sys/types.h>

enum { PEER_MAX_TEXT = 256 };

enum peer_way {
    PEER_PASSES,        /* bytes from either side; if n > 0, at most so many in a millisecond */
    PEER_CUTS_REQUESTS, /* passes `n` more bytes to Redis, then ends all connections, and passes */
    PEER_CUTS_REPLIES, /* passes `n` more bytes from Redis, then ends all connections, and passes */
    PEER_SAYS,         /* answers everything with `text`; Redis receives nothing */
    PEER_GREETS,       /* sends `text` at once, and answers everything with it */
    PEER_MOVES,        /* uses the Redis at port `n`: ends all connections, and passes */
    PEER_DRIPS /* sends `text` at once, then 'x' without end, `n` bytes in a millisecond */
};

struct peer {
    pid_t pid;
    int port;
    int orders; /* a socket */
    char uri[128];
};

void peer_start(struct peer *peer, int redis_port);

/* Gives an order; it is in effect when this returns. */
void peer_order(struct peer *peer, enum peer_way way, size_t n, const char *text);

void peer_end(struct peer *peer);

#endif
