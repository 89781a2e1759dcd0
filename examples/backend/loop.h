/* loop.h: one event-loop thread: its epoll, its listener, its connections and its ws_loop.
 * What a connection does with its bytes is connection.h. */
#ifndef BACKEND_LOOP_H
#define BACKEND_LOOP_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <ws_manager/ws_manager.h>

#include "app.h"
#include "expiry.h"
#include "http_turns.h"
#include "http_unread.h"
#include "timer.h"

enum {
    LOOP_RECEIVE_BYTES = 64 * 1024,
    LOOP_IOVECS = 512,
    LOOP_MOST_HTTP = 4096,              /* connections that are no WebSockets */
    LOOP_BODY_BYTES = 16 * 1024 * 1024, /* of the requests that come in */
};

struct connection;

/* Why a connection's time is limited. */
enum timeout {
    TIMEOUT_FRESH,  /* accepted, no byte yet */
    TIMEOUT_HEAD,   /* a request's head is coming in */
    TIMEOUT_BODY,   /* its body is */
    TIMEOUT_IDLE,   /* between two requests */
    TIMEOUT_WRITE,  /* the client does not read */
    TIMEOUT_LINGER, /* the client does not close */
    N_TIMEOUTS
};

enum listener_kind { LISTENER_PUBLIC, LISTENER_ADMIN, N_LISTENERS };

struct listener {
    int fd; /* -1: none, or stopping */
    enum listener_kind kind;
};

struct loop {
    struct app *app;
    int epoll;
    int wake; /* eventfd, edge-triggered and so never read */
    struct listener listeners[N_LISTENERS];
    int signals; /* signalfd, of one loop; else -1 */
    void (*on_signal)(int number, void *user_data);
    void *on_signal_data;
    struct cluster *cluster; /* NULL: another loop runs it, or there is none */
    ws_loop *ws;
    uint64_t now_ms;          /* monotonic, of this turn */
    uint64_t accept_again_ms; /* 0: accepting */
    uint64_t stop_ms;         /* when stopping was seen; 0: not yet */
    bool run_again;           /* something was done after this turn's ws_loop_run() */
    struct connection *first; /* all connections, by their `next` */
    size_t n_connections;
    size_t n_websockets; /* of these */
    size_t body_bytes;   /* memory of requests' bodies */
    struct http_blocked blocked;
    struct http_turns turns;
    struct connection *dead; /* closed in this turn, freed at its end: events may name them */
    struct timer_queue timeouts[N_TIMEOUTS];
    struct expiry_heap expiries; /* of the WebSockets' tokens */
    struct iovec iov[LOOP_IOVECS];
    char received[LOOP_RECEIVE_BYTES];
};

/* Makes a loop without a listener. NULL with errno. */
struct loop *loop_new(struct app *app);

/* Has the loop run the cluster's client, and waits a moment until that has reached Redis: before
 * there are listeners. */
void loop_attach_cluster(struct loop *loop, struct cluster *cluster);

/* Has the loop accept what comes to a socket, which it owns from success on. False with errno. */
bool loop_listen(struct loop *loop, enum listener_kind kind, int fd);

/* Has the loop wait for these signals, which are blocked in all threads. False with errno. */
bool loop_watch_signals(struct loop *loop, const sigset_t *signals,
                        void (*on_signal)(int number, void *user_data), void *user_data);

/* Frees a loop that does not run; on its thread, if it ever ran. */
void loop_free(struct loop *loop);

/* On the loop's thread: runs until app->stopping is set and the connections have come to their
 * end. */
void loop_run(struct loop *loop);

/* Makes the loop look at what has changed. Any thread. */
void loop_wake(struct loop *loop);

#endif
