/* loop.h: one event-loop thread, which serves the clients that main.c accepts and passes to it. Not
 * here: what clients may do (rooms.h). */
#ifndef ROOMS_LOOP_H
#define ROOMS_LOOP_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include <ws_manager/ws_manager.h>

struct loop {
    pthread_t thread;
    ws_loop *ws;
    ws_endpoint *endpoint;
    int epoll;
    int wake;     /* an eventfd: the library has something for this loop */
    int arrivals; /* a pipe of accepted sockets, an int each; its end means that no more will
                     come */
    int entrance; /* the other end of that pipe, for loop_give() */
    struct client *clients;
    uint64_t stop_ms; /* when the last clients are dropped; WS_NO_DEADLINE until loops_end() */
    char received[65536];
};

/* The clock of all loops. Any thread. */
static inline uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The following are for the main thread. */

/* Starts a thread that runs the loop. Returns false with errno; the program must end then. */
bool loop_start(struct loop *loop, ws_manager *manager, ws_endpoint *endpoint);

/* Passes an accepted, non-blocking socket to the loop. Returns false if the loop is too far behind;
 * then the caller keeps the socket. */
bool loop_give(struct loop *loop, int fd);

/* Ends all loops: passes no more sockets to them, and waits for their last clients, at most for
 * STOP_LIMIT_MS. */
void loops_end(struct loop *loops, size_t n);

#endif
