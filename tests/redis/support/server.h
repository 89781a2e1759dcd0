/* server.h: a Redis for a test, on a free port of 127.0.0.1, with its data in a temporary folder.
 * Not here: processes that use it (node.h). For one thread. */
#ifndef REDIS_TESTS_SERVER_H
#define REDIS_TESTS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

enum { SERVER_MAX_OPTIONS = 16 };

struct server {
    pid_t pid;
    const char *address; /* 127.0.0.1, unless it was started beside another server */
    int port;
    char folder[64];
    char uri[128];
    const char *password; /* for server_do(); NULL: none */
    const char *options[SERVER_MAX_OPTIONS + 1];
    bool is_sentinel;
};

/* A port that is free at the moment. */
int server_free_port(void);

/* Starts a server with these options ("--NAME", "VALUE", ..., NULL) and those that every test
 * needs; by default it writes nothing to disk. */
void server_start(struct server *server, const char *const *options);

/* Starts a sentinel of the master "mymaster" on that port, which decides alone. */
void server_start_sentinel(struct server *server, int master_port, const char *const *options);

/* Starts a server on another address, on the port of a server that is already started. */
void server_start_beside(struct server *server, const struct server *other, const char *address,
                         const char *const *options);

/* Sends a signal: SIGSTOP, SIGCONT; after SIGKILL or SIGTERM waits for its end. */
void server_signal(struct server *server, int signal);

/* Starts the server again after its end, on the same port, with the same data; returns when it is
 * ready, or while it is still loading. */
void server_restart(struct server *server);
void server_launch(struct server *server);

/* Ends the server, and removes its data. */
void server_end(struct server *server);

/* A connection with the given password, which the caller frees; or a connection with an error. */
redisContext *server_connect(const struct server *server);

/* Runs a command, whose words are separated by blanks; returns the answer as text, valid until the
 * next call. The answer must not be an error. */
const char *server_do(const struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
