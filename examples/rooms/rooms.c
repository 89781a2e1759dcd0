/* rooms.c: a message board on WebSockets, to build servers from: users, rooms, two threads on
 * epoll. The main thread accepts clients, sends a status once a second, and shuts the server down
 * when a signal arrives.
 *
 *   rooms [PORT]          the default is 9000; 0 picks a free one
 *
 *   room      who may enter     who may publish
 *   status    everyone          the server
 *   staff     staff             its members
 *   others    everyone          its members
 *
 * Errors at the start end the program, so nothing is freed after them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <ws_manager/ws_manager.h>

enum { N_LOOPS = 2, MAX_EVENTS = 128, MAX_MAIL = 64, MAX_PIECES = 64 };
enum { MAX_WAIT_MS = 1000, ACCEPT_PAUSE_MS = 100 };
enum { WAKE_UP = -1, END = -2 }; /* what a loop may be sent instead of a socket */

static ws_manager *board;
static ws_endpoint *endpoint;
static _Atomic bool stopping; /* any thread may get the signal */

static void on_signal(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

static void must(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "rooms: cannot %s: %s\n", what, strerror(errno));
    exit(2);
}

static void on_log(int level, const char *line, void *user_data)
{
    (void)user_data;
    if (level <= WS_LOG_INFO)
        fprintf(stderr, "rooms: %s\n", line);
}

/* --- the service, and the part to change first ----------------------------------------------- */

/* The callbacks run on both loops' threads: data that they share must be constant, as this table
 * is, or have a lock. Replace it by your session store or signed tokens. */
struct account {
    const char *token;
    const char *user_id;
    bool is_staff;
};

static struct account accounts[] = {
    {"ana-3f9c1e", "ana", true},
    {"ben-71d0a4", "ben", false},
    {"eva-c8265b", "eva", false},
};

/* Takes the same time wherever they differ, so that it does not tell how much of a guess is
 * right. */
static bool is_token(const char *expected, const char *token, size_t length)
{
    int difference = 0;

    if (strlen(expected) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        difference |= expected[i] ^ token[i];
    return difference == 0;
}

/* The token is in the query because a page's WebSocket cannot add a header. Proxies log queries,
 * so a real token should expire soon. A service that takes a cookie instead must check the
 * header Origin, or any page could connect as its visitor. */
static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    struct account *account = NULL;
    const char *token;
    size_t length;

    (void)user_data;
    if (ws_handshake_query_parameter(handshake, "token", &token, &length) == WS_OK)
        for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++)
            if (is_token(accounts[i].token, token, length))
                account = &accounts[i];
    if (account == NULL || strcmp(ws_handshake_path(handshake), "/ws") != 0) {
        ws_handshake_refuse(handshake, account == NULL ? 401 : 404, NULL);
        return WS_ERR_FORBIDDEN;
    }
    ws_handshake_set_user_data(handshake, account);
    return ws_handshake_set_user_id(handshake, account->user_id);
}

/* Asked for {"type":"join_room"} and for the rooms that a returning client names in its query. */
static int authorize_join(ws_manager *manager, const ws_connection_info *connection,
                          const char *room, void *user_data)
{
    const struct account *account = connection->user_data;

    (void)manager;
    (void)user_data;
    return strcmp(room, "staff") != 0 || account->is_staff ? WS_OK : WS_ERR_FORBIDDEN;
}

/* {"type":"message","room":"…","data":…} becomes an event "message" for the members of the room,
 * including the sender. An error is sent to the client; after WS_ERR_BACKPRESSURE, when a loop is
 * too far behind, it may try again. */
static int accept_message(ws_manager *manager, const ws_connection_info *connection,
                          const ws_client_message *message, void *user_data)
{
    ws_event *event;
    int result;

    (void)user_data;
    if (message->room == NULL)
        return WS_ERR_INVALID;
    if (strcmp(message->room, "status") == 0)
        return WS_ERR_FORBIDDEN;
    if (!ws_manager_is_member(manager, connection->id, message->room))
        return WS_ERR_NOT_MEMBER;
    result = ws_event_new(manager, "message", message->data, message->length, &event);
    if (result != WS_OK)
        return result;
    result = ws_event_set_user_id(event, connection->user_id);
    if (result == WS_OK)
        result = ws_manager_broadcast_to_room(manager, message->room, event, NULL, 0);
    ws_event_free(event);
    return result;
}

/* A client that does not read is closed with 1013 when more than max_queue_bytes wait for it. It
 * may come back with after=ID in its query, and receives what it missed. One that ignores
 * message_rate is closed with 1008. */
static void set_up(void)
{
    ws_manager_options options;
    ws_endpoint_options endpoint_options;

    ws_manager_options_init(&options);
    options.authorize_join = authorize_join;
    options.accept_message = accept_message;
    options.log = on_log;
    options.max_rooms_per_connection = 20;
    options.message_rate = 50; /* per second */
    errno = ENOMEM;
    must(ws_manager_new(&options, &board) == WS_OK &&
             ws_manager_register_event_type(board, "message") == WS_OK &&
             ws_manager_register_event_type(board, "status") == WS_OK &&
             ws_manager_route_event_type(board, "status", "status") == WS_OK,
         "create the manager");
    ws_endpoint_options_init(&endpoint_options);
    endpoint_options.accept_handshake = accept_handshake;
    endpoint_options.handshake_timeout_ms = 5000; /* the end may take as long */
    endpoint_options.max_message_bytes = 16384;
    endpoint_options.max_queue_bytes = 262144;
    must(ws_endpoint_new(board, &endpoint_options, &endpoint) == WS_OK, "create the endpoint");
}

/* Any thread may emit. An error means that no client received it; the next status replaces it. An
 * event that must not be lost has to be kept by the application and sent again later. */
static void publish_status(void)
{
    char json[64];
    int length = snprintf(json, sizeof json, "{\"connections\":%zu}",
                          ws_manager_connection_count(board));

    if (ws_manager_emit(board, "status", json, (size_t)length) != WS_OK)
        on_log(WS_LOG_WARN, "the status was not sent", NULL);
}

/* --- one thread's clients -------------------------------------------------------------------- */

static struct loop {
    pthread_t thread;
    ws_loop *ws;
    int epoll;
    int mail[2];     /* a pipe by which other threads send sockets, WAKE_UP or END */
    uint64_t due_ms; /* when the library wants to run again */
    size_t n_clients;
    bool is_ending;
    char received[65536];
} loops[N_LOOPS];

struct client {
    struct loop *loop;
    ws_websocket *websocket;
    int fd;
    uint32_t watched; /* what epoll reports, besides EPOLLERR and EPOLLHUP */
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool watch(struct loop *loop, int operation, int fd, uint32_t events, void *pointer)
{
    struct epoll_event event = {.events = events, .data.ptr = pointer};

    return epoll_ctl(loop->epoll, operation, fd, &event) == 0;
}

static void add_client(struct loop *loop, int fd)
{
    struct client *client = malloc(sizeof *client);

    if (client == NULL || !watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, client) ||
        ws_websocket_new(loop->ws, endpoint, client, &client->websocket) != WS_OK) {
        close(fd); /* this also removes it from epoll */
        free(client);
        return;
    }
    client->loop = loop;
    client->fd = fd;
    client->watched = EPOLLIN;
    loop->n_clients++;
}

/* Frees the client at once: epoll reports each client once in a turn, and a client is dropped by
 * its own event or after all events, so that no later event of the turn points to it. */
static void drop_client(struct client *client)
{
    ws_websocket_free(client->websocket);
    close(client->fd);
    client->loop->n_clients--;
    free(client);
}

/* Writes until the socket is full, and watches it for what the client can do next. A client that
 * sends faster than the loop handles its messages is not read, so that TCP slows it down;
 * ws_loop_next_output() lists it when it may be read again. */
static void write_client(struct client *client)
{
    struct iovec pieces[MAX_PIECES];
    uint32_t events = 0;
    int count;

    while (events == 0 &&
           (count = ws_websocket_output(client->websocket, pieces, MAX_PIECES)) > 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL);

        if (n <= 0)
            events = n < 0 && errno != EAGAIN ? EPOLLERR : EPOLLOUT;
        ws_websocket_sent(client->websocket, n > 0 ? (size_t)n : 0);
    }
    if (events == EPOLLERR || ws_websocket_ended(client->websocket)) {
        drop_client(client);
        return;
    }
    if (ws_websocket_wants_read(client->websocket))
        events |= EPOLLIN;
    if (events != client->watched)
        watch(client->loop, EPOLL_CTL_MOD, client->fd, events, client);
    client->watched = events;
}

/* Reads once in a turn, so that a flooding client takes no more of it than the others. */
static void serve_client(struct client *client, uint32_t came)
{
    char *buffer = client->loop->received;

    /* The client is gone, and is not read: epoll_wait() would report this again at once. */
    if (came & (EPOLLERR | EPOLLHUP) && !(client->watched & EPOLLIN)) {
        drop_client(client);
        return;
    }
    if (came != EPOLLOUT && ws_websocket_wants_read(client->websocket)) {
        ssize_t n = recv(client->fd, buffer, sizeof client->loop->received, 0);

        if (n > 0)
            ws_websocket_receive(client->websocket, buffer, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            ws_websocket_eof(client->websocket); /* what it sent before is still answered */
    }
    write_client(client);
}

/* Takes all entries, up to a bound: if it took one in a turn, and another loop sent a WAKE_UP in
 * each turn, sockets would wait behind those. Entries are written whole, and so read whole. */
static void take_mail(struct loop *loop)
{
    int mail[MAX_MAIL];
    ssize_t n = read(loop->mail[0], mail, sizeof mail);

    for (ssize_t i = 0; i < n / (ssize_t)sizeof *mail; i++)
        if (mail[i] == END)
            loop->is_ending = true;
        else if (mail[i] != WAKE_UP)
            add_client(loop, mail[i]);
}

/* Each state of a client has a deadline in the library, so the last one will have gone. */
static void *run(void *user_data)
{
    struct epoll_event events[MAX_EVENTS];
    struct loop *loop = user_data;
    ws_websocket *websocket;

    while (!loop->is_ending || loop->n_clients > 0) {
        uint64_t now = now_ms();
        uint64_t left_ms = loop->due_ms > now ? loop->due_ms - now : 0;
        int wait_ms = left_ms < MAX_WAIT_MS ? (int)left_ms : MAX_WAIT_MS;
        int n = epoll_wait(loop->epoll, events, MAX_EVENTS, wait_ms);

        for (int i = 0; i < n; i++)
            if (events[i].data.ptr == loop)
                take_mail(loop);
            else
                serve_client(events[i].data.ptr, events[i].events);
        loop->due_ms = ws_loop_run(loop->ws, now_ms());
        while ((websocket = ws_loop_next_output(loop->ws)) != NULL)
            write_client(ws_websocket_user_data(websocket));
    }
    ws_loop_free(loop->ws);
    return NULL;
}

static bool post(const struct loop *loop, int mail)
{
    return write(loop->mail[1], &mail, sizeof mail) == (ssize_t)sizeof mail;
}

/* Called from any thread, for example when a client of another loop publishes to one of this
 * loop. If the pipe is full, the loop is awake. */
static void wake(void *user_data)
{
    post(user_data, WAKE_UP);
}

static void start_loop(struct loop *loop)
{
    ws_loop_options options;

    ws_loop_options_init(&options);
    options.wake = wake;
    options.user_data = loop;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    errno = ENOMEM; /* if the library reports an error */
    must(ws_loop_new(board, &options, now_ms(), &loop->ws) == WS_OK &&
             pipe2(loop->mail, O_CLOEXEC | O_NONBLOCK) == 0 &&
             watch(loop, EPOLL_CTL_ADD, loop->mail[0], EPOLLIN, loop) &&
             pthread_create(&loop->thread, NULL, run, loop) == 0,
         "start a loop");
}

/* --- the main thread ------------------------------------------------------------------------- */

static int listen_on(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    char *end;
    unsigned long number = strtoul(port, &end, 10);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;

    errno = EINVAL;
    must(*port >= '0' && *port <= '9' && *end == '\0' && number <= UINT16_MAX, "use this port");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)number);
    /* Accepted sockets inherit TCP_NODELAY: no small message waits for an acknowledgement. */
    must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
             setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 &&
             bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, SOMAXCONN) == 0 &&
             getsockname(fd, (struct sockaddr *)&address, &size) == 0,
         "listen");
    printf("listening on ws://127.0.0.1:%u/ws\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* A client that cannot be accepted, because no descriptor is left, stays in the listener's queue
 * and keeps it readable. poll() would return at once, again and again, so the listener is not
 * polled for ACCEPT_PAUSE_MS. */
static void accept_clients(int listener)
{
    struct pollfd watched = {listener, POLLIN, 0};
    time_t published = 0;
    size_t turn = 0;

    while (!stopping) {
        int n = poll(&watched, 1, watched.fd < 0 ? ACCEPT_PAUSE_MS : MAX_WAIT_MS);
        int fd = n > 0 ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
        bool is_full = n > 0 && fd < 0 && errno != EAGAIN && errno != ECONNABORTED;

        if (fd >= 0 && !post(&loops[turn++ % N_LOOPS], fd)) /* the loop is too far behind */
            close(fd);
        watched.fd = is_full ? -1 : listener;
        if (time(NULL) != published)
            publish_status();
        published = time(NULL);
    }
}

int main(int argc, char **argv)
{
    int listener = listen_on(argc > 1 ? argv[1] : "9000");
    ws_drain_options drain;

    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    set_up();
    for (size_t i = 0; i < N_LOOPS; i++)
        start_loop(&loops[i]);
    accept_clients(listener);
    close(listener); /* first, so that clients reconnect to the next process, not to this one */
    ws_drain_options_init(&drain);
    drain.reason = "the server restarts";
    must(ws_manager_drain(board, &drain) == WS_OK, "drain the manager");
    for (size_t i = 0; i < N_LOOPS; i++)
        while (!post(&loops[i], END))
            sched_yield();
    for (size_t i = 0; i < N_LOOPS; i++)
        pthread_join(loops[i].thread, NULL);
    ws_endpoint_free(endpoint);
    ws_manager_free(board);
    return 0;
}
