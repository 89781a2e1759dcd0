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
    LOOP_BODY_BYTES = 16 * 1024 * 1024, /* of bodies being received */
};

struct connection;

/* What a connection's timer waits for. */
enum timeout {
    TIMEOUT_FRESH,  /* accepted, no byte yet */
    TIMEOUT_HEAD,   /* a request's head is coming in */
    TIMEOUT_BODY,   /* a request's body is coming in */
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
    int wake; /* eventfd, edge-triggered, so never read */
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
    struct connection *dead; /* freed at the turn's end: events may point to them */
    struct timer_queue timeouts[N_TIMEOUTS];
    struct expiry_heap expiries; /* of the WebSockets' tokens */
    struct iovec iov[LOOP_IOVECS];
    char received[LOOP_RECEIVE_BYTES];
};

/* Creates a loop without a listener. NULL with errno. */
struct loop *loop_new(struct app *app);

/* Makes the loop run the cluster's client, and waits up to a second until it has reached Redis.
 * Call it before there are listeners. */
void loop_attach_cluster(struct loop *loop, struct cluster *cluster);

/* Makes the loop accept connections at a socket, which it owns on success. False with errno. */
bool loop_listen(struct loop *loop, enum listener_kind kind, int fd);

/* Makes the loop wait for these signals, which must be blocked in all threads. False with errno. */
bool loop_watch_signals(struct loop *loop, const sigset_t *signals,
                        void (*on_signal)(int number, void *user_data), void *user_data);

/* Frees a loop that does not run; on its thread, if it ever ran. */
void loop_free(struct loop *loop);

/* On the loop's thread: runs until app->stopping is set and all connections are closed. */
void loop_run(struct loop *loop);

/* Makes the loop look at what has changed: `stopping`, or what another thread has made. Any
 * thread. */
void loop_wake(struct loop *loop);

#endif
