/* server.h: a Redis of a test's own, on a free port of 127.0.0.1, with its data in a temporary
 * folder. Not here: processes that use it (node.h). For one thread. */
#ifndef REDIS_TESTS_SERVER_H
#define REDIS_TESTS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include <hiredis/hiredis.h>

enum { SERVER_MAX_OPTIONS = 16 };

struct server {
    pid_t pid;
    const char *address; /* 127.0.0.1, unless it was started beside another one */
    int port;
    char folder[64];
    char uri[128];
    const char *password; /* for server_do(); NULL: none */
    const char *options[SERVER_MAX_OPTIONS + 1];
    bool is_sentinel;
};

/* A port that is free just now. */
int server_free_port(void);

/* Starts one with these options ("--NAME", "VALUE", ..., NULL) besides those that every test has;
 * by default it writes nothing to disk. */
void server_start(struct server *server, const char *const *options);

/* Starts a sentinel of the master "mymaster" on that port, which decides alone. */
void server_start_sentinel(struct server *server, int master_port, const char *const *options);

/* Starts one on another address, on the port of a server that is started already. */
void server_start_beside(struct server *server, const struct server *other, const char *address,
                         const char *const *options);

/* Sends a signal: SIGSTOP, SIGCONT; after SIGKILL or SIGTERM its end is awaited. */
void server_signal(struct server *server, int signal);

/* On the same port, with the same data, after its end; when it is ready, or while it still
 * loads. */
void server_restart(struct server *server);
void server_launch(struct server *server);

/* Ends it, and removes its data. */
void server_end(struct server *server);

/* A connection that lasts, with the password given, for the caller to free; or one with an
 * error. */
redisContext *server_connect(const struct server *server);

/* Has it carry out a command, words with blanks between them; the answer as text, valid until the
 * next call. It must not be an error. */
const char *server_do(const struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
