/* link.h: one connection to Redis by hiredis' asynchronous API: commands go out in order, replies
 * wait until they are asked for, so that nothing but I/O happens within hiredis' callbacks.
 *
 * What both hiredis 0.14 and 1.x have is used, and nothing else. Not here: what is said
 * (session.c). */
#ifndef WS_REDIS_LINK_H
#define WS_REDIS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/async.h>

#include "cluster/redis/command.h"
#include "cluster/redis/place.h"
#include "cluster/redis/reply_limit.h"
#include "cluster/redis/uri.h"

enum {
    LINK_MAX_REQUESTS = 64,
    LINK_ERROR_SIZE = 160,
    LINK_BLOCK_MS = 1000, /* how long Redis may wait itself before it answers REQUEST_READ */
    LINK_SLOW = 10        /* times the timeout is what a reply may take that comes bit by bit */
};

/* What a reply is to. */
enum request_kind {
    REQUEST_AUTH,     /* only an error is of interest, which may repeat the password */
    REQUEST_GREETING, /* SELECT and the like: likewise an error */
    REQUEST_MULTI,    /* likewise */
    REQUEST_QUEUED,   /* what follows MULTI, to be answered by EXEC: likewise */
    REQUEST_ATTACH,
    REQUEST_PAGE,
    REQUEST_READ,
    REQUEST_STATE,
    REQUEST_APPEND,
    REQUEST_FETCH,
    REQUEST_HEARTBEAT,
    REQUEST_NODES,
    REQUEST_ROLE,
    REQUEST_SENTINEL, /* AUTH of a sentinel's: as REQUEST_AUTH */
    REQUEST_MASTER
};

struct link_request {
    enum request_kind kind;
    redisReply *reply; /* NULL until it has come */
};

struct link {
    redisAsyncContext *context; /* NULL: there is no connection */
    struct ssl_st *tls;         /* of the context; NULL: it has none */
    void (*watch)(int fd, int events, void *user_data);
    void *user_data;
    int fd;
    int events;  /* that hiredis wants */
    int watched; /* that the host was told */
    bool asks;   /* ASKING goes before each command with keys, see link_send() */

    struct reply_limit reply_limit;

    /* For connecting, and until something comes while a reply is awaited. */
    uint64_t timeout_ms;
    uint64_t deadline_ms; /* WS_NO_DEADLINE: none are */
    uint64_t limit_ms;    /* for the next reply, whatever comes of it meanwhile */
    bool progressed;      /* something came since link_check() */
    bool replied;         /* a reply did */
    bool is_broken;       /* a reply was lost */
    bool is_slow;         /* a reply went on to come, but for too long */

    struct link_request requests[LINK_MAX_REQUESTS]; /* a ring, the oldest first */
    size_t first;
    size_t count;
    size_t n_replied; /* of these */

    char error[LINK_ERROR_SIZE]; /* why there is no connection */
};

/* A reply of more bytes than that ends the connection. */
void link_init(struct link *link, void (*watch)(int fd, int events, void *user_data),
               void *user_data, size_t max_reply_bytes);

/* Begins to connect to a place, in the way that the URI says, at this address of it, or path of a
 * Unix socket: no name is looked up. False with link->error. */
bool link_open(struct link *link, const struct uri *uri, const struct place *place,
               const char *address);
void link_close(struct link *link);

/* The descriptor is ready for these of enum ws_redis_events. The connection may be gone then. */
void link_ready(struct link *link, int events);

/* Sends a command. Its reply comes behind those of earlier ones. False with link->error, if the
 * connection is gone or there are LINK_MAX_REQUESTS.
 *
 * The node of a Redis Cluster that a slot is being moved to carries out only what comes behind
 * ASKING, or in a transaction that does. */
bool link_send(struct link *link, enum request_kind kind, const struct command *command,
               uint64_t now_ms);

/* Takes the next reply that has come: NULL if there is none. For the caller to free. */
redisReply *link_take_reply(struct link *link, enum request_kind *kind);

/* False with link->error if the connection is gone or does not answer. */
bool link_check(struct link *link, uint64_t now_ms);

/* Writes what waits, and tells the host what to wait for. */
void link_flush(struct link *link);

#endif
