/* heads.h: the request heads that sessions keep, for the application to judge their sockets by.
 * Not here: how long, and what becomes of a session without one (session.c, connect.c). */
#ifndef WS_TRANSPORT_ENGINEIO_HEADS_H
#define WS_TRANSPORT_ENGINEIO_HEADS_H

#include "transport/shared/request.h"
#include "transport/shared/shared_part.h"

/* The memory of a loop's heads. Small ones of sessions without a socket, whose number is
 * limited, never give way: so a client with large heads does not keep out the others. */
enum { HEADS_BYTES = 32 << 20, HEADS_SMALL_BYTES = 2048 };

/* A session's head. */
struct kept_head {
    struct request *request; /* NULL: none */
    size_t bytes;            /* that it took when it was kept */
    uint8_t client_class;    /* of the session's client */
    bool may_go;             /* gives way when there are too many */
    bool is_used;            /* heads_use() */
    bool is_dropped;         /* freed when it is used no longer */
    struct kept_head *newer; /* among those that may */
    struct kept_head *older;
};

void heads_keep(const ws_loop *loop, struct kept_head *head, struct request *request,
                uint8_t client_class);

/* From now on the head may give way, even if it is small. */
void heads_may_go(const ws_loop *loop, struct kept_head *head);

/* Frees the head, if there is one, as soon as it is not in use. */
void heads_drop(const ws_loop *loop, struct kept_head *head);

/* Enclose calls of the application that get the request, if there is one: it stays valid, whatever
 * ends within them. */
void heads_use(struct kept_head *head);
void heads_used(const ws_loop *loop, struct kept_head *head);

/* Whether there is memory for another head of `bytes`. */
bool heads_fit(const ws_loop *loop, size_t bytes);

/* The head that goes first to make room for another one: the oldest that may go, of the class of
 * clients that has most with that one. NULL: no other one goes for it. */
struct kept_head *heads_first_to_go(const ws_loop *loop, size_t bytes, uint8_t client_class);

#endif
