/* answers.h: answers that other threads give to requests of a loop, until it takes them.
 * A ticket may outlive its connection, its loop and the server. */
#ifndef WS_SERVER_ANSWERS_H
#define WS_SERVER_ANSWERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "server/parts/response.h"
#include <ws_manager/server_http.h>

struct connection;

/* A request that is answered later. */
struct ws_server_ticket {
    struct answers *answers;
    struct ws_server_ticket *next;
    struct response response;
    struct connection *connection; /* of the loop's thread only; NULL: the client is gone */
    bool is_answered;              /* of the loop's thread only */
};

/* Behind a mutex, which is held for the time of a few assignments. */
struct answers {
    pthread_mutex_t mutex;
    struct ws_server_ticket *first;
    struct ws_server_ticket *last;
    uint64_t n_users; /* the loop, and the tickets that are not freed */
    int wake;         /* an eventfd of the loop's; -1: it has ended */
};

/* NULL when memory is short. */
struct answers *answers_new(int wake);

/* The loop ends: answers are dropped from now on. NULL does nothing. */
void answers_close(struct answers *answers);

/* Makes a ticket for a request of the loop. WS_ERR_LIMIT if WS_SERVER_HTTP_MAX are not answered, be
 * their clients there or not; WS_ERR_NO_MEMORY. */
int answers_begin(struct answers *answers, struct ws_server_ticket **ticket);

/* Takes the tickets that have been answered, linked by their `next`; NULL: none. */
struct ws_server_ticket *answers_take(struct answers *answers);

/* Frees a ticket that was taken. */
void answers_end(struct ws_server_ticket *ticket);

#endif
