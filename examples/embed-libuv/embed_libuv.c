/* embed_libuv.c: a small host on libuv, to copy from. Several of its processes form one service
 * through Redis: each serves WebSockets on ws://127.0.0.1:PORT/ and sends the time once a second to
 * the clients of all processes.
 *
 *   embed-libuv [PORT [REDIS_URI]]          the defaults are 9000 and redis://127.0.0.1:6379 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>
#include <ws_manager/redis.h>
#include <ws_manager/ws_manager.h>

#include "redis_on_libuv.h"

enum { MAX_PIECES = 64, ACCEPT_PAUSE_MS = 100 };

struct client {
    uv_poll_t poll; /* first */
    struct client *next;
    struct client **place; /* the pointer that points to this client */
    ws_websocket *websocket;
    int fd;
    int events;
};

static ws_manager *manager;
static ws_endpoint *endpoint;
static ws_loop *loop;
static uv_poll_t listener;
static int listener_fd;
static uv_timer_t accept_again;
static uv_async_t woken;
static uv_timer_t deadline;
static uv_timer_t tick;
static uv_signal_t interrupt;
static struct redis_on_libuv redis;
static struct client *clients;

static void on_client(uv_poll_t *poll, int status, int events);

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "embed-libuv: %s: %s\n", what, why);
    exit(1);
}

/* --- clients ---------------------------------------------------------------------------------- */

static void free_client(uv_handle_t *poll)
{
    free(poll);
}

static void drop_client(struct client *client)
{
    *client->place = client->next;
    if (client->next != NULL)
        client->next->place = client->place;
    ws_websocket_free(client->websocket);
    uv_poll_stop(&client->poll);
    close(client->fd);
    uv_close((uv_handle_t *)&client->poll, free_client);
}

/* Waits for these events only, or for none. */
static void watch_client(struct client *client, int events)
{
    client->events = events;
    uv_poll_start(&client->poll, events, on_client);
}

/* Writes output until the socket is full. */
static void write_client(struct client *client)
{
    struct iovec pieces[MAX_PIECES];
    int events = 0;
    int count;

    while ((count = ws_websocket_output(client->websocket, pieces, MAX_PIECES)) > 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN) {
            drop_client(client);
            return;
        }
        ws_websocket_sent(client->websocket, n > 0 ? (size_t)n : 0);
        if (n <= 0) {
            events |= UV_WRITABLE;
            break;
        }
    }
    /* A client that sends faster than the loop handles its messages is not read, so TCP slows it
     * down. */
    if (ws_websocket_wants_read(client->websocket))
        events |= UV_READABLE;
    if (ws_websocket_ended(client->websocket))
        drop_client(client);
    else
        watch_client(client, events);
}

static void read_client(struct client *client)
{
    static char buffer[65536];
    ssize_t n = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n > 0)
        ws_websocket_receive(client->websocket, buffer, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        ws_websocket_eof(client->websocket); /* what it sent before is still answered */
    if (!ws_websocket_wants_read(client->websocket))
        watch_client(client, client->events & ~UV_READABLE);
}

static void add_client(struct client *client)
{
    client->next = clients;
    client->place = &clients;
    if (clients != NULL)
        clients->place = &client->next;
    clients = client;
    watch_client(client, UV_READABLE);
}

static void accept_client(uv_poll_t *poll, int status, int events);

static void resume_accepting(uv_timer_t *timer)
{
    (void)timer;
    uv_poll_start(&listener, UV_READABLE, accept_client);
}

/* When no descriptor or no memory is left, the waiting client stays in the listener's queue and
 * keeps it readable: libuv would call accept_client() again and again. */
static void pause_accepting(void)
{
    uv_poll_stop(&listener);
    uv_timer_start(&accept_again, resume_accepting, ACCEPT_PAUSE_MS, 0);
}

static void accept_client(uv_poll_t *poll, int status, int events)
{
    struct client *client;
    int fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)status;
    (void)events;
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            pause_accepting();
        return;
    }
    client = calloc(1, sizeof *client);
    if (client == NULL || uv_poll_init(poll->loop, &client->poll, fd) < 0) {
        free(client);
        close(fd);
        return;
    }
    client->fd = fd;
    if (ws_websocket_new(loop, endpoint, client, &client->websocket) != WS_OK) {
        close(fd);
        uv_close((uv_handle_t *)&client->poll, free_client);
        return;
    }
    add_client(client);
    uv_async_send(&woken); /* the client's handshake has a deadline, perhaps the next one */
}

/* --- turns of the loop ------------------------------------------------------------------------ */

static void on_deadline(uv_timer_t *timer);

static void run(void)
{
    uint64_t now_ms = uv_now(uv_default_loop());
    uint64_t next_ms = ws_loop_run(loop, now_ms);
    ws_websocket *websocket;

    while ((websocket = ws_loop_next_output(loop)) != NULL)
        write_client(ws_websocket_user_data(websocket));
    /* A timer of 0 ms would run again before libuv looks at the sockets. */
    if (next_ms <= now_ms)
        uv_async_send(&woken);
    else if (next_ms != WS_NO_DEADLINE)
        uv_timer_start(&deadline, on_deadline, next_ms - now_ms, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    run();
}

static void on_woken(uv_async_t *async)
{
    (void)async;
    run();
}

static void wake(void *user_data)
{
    (void)user_data;
    uv_async_send(&woken);
}

static void on_client(uv_poll_t *poll, int status, int events)
{
    struct client *client = (struct client *)poll;

    if (status < 0 || (events & UV_READABLE))
        read_client(client);
    if (status < 0 || (events & UV_WRITABLE))
        write_client(client);
    run();
}

static void on_tick(uv_timer_t *timer)
{
    char text[64];
    time_t now = time(NULL);

    (void)timer;
    strftime(text, sizeof text, "it is %H:%M:%S UTC", gmtime(&now));
    ws_manager_emit_notification(manager, text, NULL, "info");
}

static void on_state(int connected, const char *text, void *user_data)
{
    (void)user_data;
    printf("Redis: %s%s\n", connected ? "" : "away: ", text);
    fflush(stdout);
}

static void on_interrupt(uv_signal_t *handle, int number)
{
    (void)handle;
    (void)number;
    uv_stop(uv_default_loop());
}

/* --- start ------------------------------------------------------------------------------------ */

static void listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1;

    listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (listener_fd < 0 || bind(listener_fd, (struct sockaddr *)&address, size) < 0 ||
        listen(listener_fd, 128) < 0 ||
        getsockname(listener_fd, (struct sockaddr *)&address, &size) < 0)
        fail("listen", "the port is not available");
    printf("listening on ws://127.0.0.1:%u/\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
}

static void check(const char *what, int result)
{
    if (result != WS_OK)
        fail(what, ws_strerror(result));
}

/* The carrier must exist before the loop. */
static void make_manager(const char *redis_uri)
{
    ws_redis_options redis_options;
    ws_loop_options loop_options;
    char text[128];

    ws_redis_options_init(&redis_options);
    redis_options.uri = redis_uri;
    redis_options.on_state = on_state;
    if (ws_redis_check_uri(redis_uri, text, sizeof text) != WS_OK)
        fail(redis_uri, text);
    ws_loop_options_init(&loop_options);
    loop_options.wake = wake;
    check("manager", ws_manager_new(NULL, &manager));
    check("redis", redis_on_libuv_open(&redis, uv_default_loop(), manager, &redis_options));
    check("loop", ws_loop_new(manager, &loop_options, uv_now(uv_default_loop()), &loop));
    check("endpoint", ws_endpoint_new(manager, NULL, &endpoint));
}

static void begin(uv_loop_t *uv)
{
    uv_async_init(uv, &woken, on_woken);
    uv_timer_init(uv, &deadline);
    uv_timer_init(uv, &accept_again);
    uv_timer_init(uv, &tick);
    uv_timer_start(&tick, on_tick, 1000, 1000);
    uv_signal_init(uv, &interrupt);
    uv_signal_start(&interrupt, on_interrupt, SIGINT);
    uv_poll_init(uv, &listener, listener_fd);
    uv_poll_start(&listener, UV_READABLE, accept_client);
}

static void end(uv_loop_t *uv)
{
    while (clients != NULL)
        drop_client(clients);
    redis_on_libuv_close(&redis);
    uv_close((uv_handle_t *)&woken, NULL);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_close((uv_handle_t *)&accept_again, NULL);
    uv_close((uv_handle_t *)&tick, NULL);
    uv_close((uv_handle_t *)&interrupt, NULL);
    uv_close((uv_handle_t *)&listener, NULL);
    uv_run(uv, UV_RUN_DEFAULT);
    close(listener_fd);
    ws_endpoint_free(endpoint);
    ws_loop_free(loop);
    ws_manager_free(manager);
    uv_loop_close(uv);
}

int main(int argc, char **argv)
{
    uv_loop_t *uv = uv_default_loop();

    listen_on(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 9000);
    begin(uv);
    make_manager(argc > 2 ? argv[2] : "redis://127.0.0.1:6379");
    uv_run(uv, UV_RUN_DEFAULT);
    end(uv);
    return 0;
}
