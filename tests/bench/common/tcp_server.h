/* tcp_server.h: accepting, handshakes and epoll for the servers that are compared here.
 * Not here: what they do with messages. */
#ifndef BENCH_TCP_SERVER_H
#define BENCH_TCP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct tcp_client {
    int fd;
    bool upgraded;
    bool watches_writable;
    size_t index; /* in the server's `clients`, after the handshake */
    void *session;
};

struct tcp_server_hooks {
    /* The answer to a handshake; `head` ends with a NUL. */
    const char *(*answer)(const char *head);
    void (*opened)(struct tcp_client *client);
    /* These two return false if the client must be closed. `closed` is called afterwards. */
    bool (*readable)(struct tcp_client *client);
    bool (*writable)(struct tcp_client *client);
    void (*closed)(struct tcp_client *client);
};

struct tcp_server {
    struct tcp_client **clients; /* clients whose handshake is complete */
    size_t n_clients;
    size_t capacity;
    int listener;
    int epoll;
    const struct tcp_server_hooks *hooks;
};

/* Serves on 127.0.0.1 until the process is killed. Returns only on failure, with errno set. */
void tcp_server_run(struct tcp_server *server, int port, const struct tcp_server_hooks *hooks);

/* Sets whether `writable` is called for the client. */
void tcp_client_watch_writable(const struct tcp_server *server, struct tcp_client *client,
                               bool on);

#endif
