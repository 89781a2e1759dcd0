/* client.c: the clients' sockets: HTTP requests, and the WebSockets that some of them become. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "request_reader.h"

enum { MAX_PIECES = 64, READ_BYTES = 65536, HEAD_TIMEOUT_MS = 10000 };

struct client {
    struct host *host;
    ws_websocket *websocket;       /* NULL: it speaks HTTP */
    ws_http *http;                 /* the request that was read last; NULL: none */
    struct request_reader *reader; /* NULL with a websocket */
    char *rest;                    /* bytes behind that request, which wait for its end */
    size_t rest_length;
    int fd;
    uint32_t watched;
    bool is_waiting;           /* in the list `waiting`: the next head is awaited */
    uint64_t head_deadline_ms; /* then */
    struct client *previous;
    struct client *next;
};

/* --- lists ---------------------------------------------------------------------------------- */

static struct client_list *list_of(struct client *client)
{
    return client->is_waiting ? &client->host->waiting : &client->host->clients;
}

static void append(struct client *client)
{
    struct client_list *list = list_of(client);

    client->previous = list->last;
    client->next = NULL;
    if (list->last != NULL)
        list->last->next = client;
    else
        list->first = client;
    list->last = client;
}

static void unlink_client(struct client *client)
{
    struct client_list *list = list_of(client);

    if (client->previous != NULL)
        client->previous->next = client->next;
    else
        list->first = client->next;
    if (client->next != NULL)
        client->next->previous = client->previous;
    else
        list->last = client->previous;
}

static void await_head(struct client *client, bool is_waiting, uint64_t now_ms)
{
    if (client->is_waiting == is_waiting)
        return;
    unlink_client(client);
    client->is_waiting = is_waiting;
    client->head_deadline_ms = now_ms + HEAD_TIMEOUT_MS;
    append(client);
}

static void watch(struct client *client, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = client};

    if (events != client->watched)
        epoll_ctl(client->host->epoll, EPOLL_CTL_MOD, client->fd, &event);
    client->watched = events;
}

/* epoll reports each client once in a turn, and a client is dropped by its own event or after all
 * events, so that no later event of the turn points to it. */
static void drop(struct client *client)
{
    unlink_client(client);
    ws_websocket_free(client->websocket);
    ws_http_free(client->http);
    close(client->fd);
    free(client->reader);
    free(client->rest);
    free(client);
}

/* --- requests ------------------------------------------------------------------------------- */

/* Whether a target is of an endpoint, with or without the slash: stock clients leave it out with
 * `addTrailingSlash: false`. */
static bool is_of(const char *target, const char *prefix)
{
    size_t length = strlen(prefix) - 1;

    return strncmp(target, prefix, length) == 0 && strchr("/?", target[length]) != NULL;
}

/* The endpoint of a target; NULL for another path. */
static ws_endpoint *endpoint_of(const struct host *host, const char *target)
{
    for (size_t i = 0; i < host->n_endpoints; i++)
        if (is_of(target, host->endpoints[i].prefix))
            return host->endpoints[i].endpoint;
    return NULL;
}

static bool make_http(struct client *client, ws_endpoint *endpoint)
{
    const struct request_reader *reader = client->reader;
    ws_http_request request;

    ws_http_request_init(&request);
    request.method = reader->method;
    request.target = request_reader_target(reader);
    request.headers = reader->headers;
    request.n_headers = reader->n_headers;
    request.http_major = reader->parser.http_major;
    request.http_minor = reader->parser.http_minor;
    return ws_http_new(client->host->loop, endpoint, client, &request, &client->http) == WS_OK;
}

static bool make_websocket(struct client *client, ws_endpoint *endpoint)
{
    const struct request_reader *reader = client->reader;

    if (ws_websocket_new(client->host->loop, endpoint, client, &client->websocket) != WS_OK)
        return false;
    ws_websocket_upgrade(client->websocket, reader->method, reader->parser.http_major,
                         reader->parser.http_minor, request_reader_target(reader),
                         reader->headers, reader->n_headers);
    return true;
}

static bool on_head(struct request_reader *reader)
{
    static const char not_found[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                                    "Connection: close\r\n\r\n";
    struct client *client = reader->user_data;
    ws_endpoint *endpoint = endpoint_of(client->host, request_reader_target(reader));

    if (endpoint == NULL) {
        send(client->fd, not_found, sizeof not_found - 1, MSG_NOSIGNAL);
        return false;
    }
    return request_reader_upgrades(reader) ? make_websocket(client, endpoint)
                                           : make_http(client, endpoint);
}

static void on_body(struct request_reader *reader, const char *bytes, size_t length)
{
    struct client *client = reader->user_data;

    ws_http_receive(client->http, bytes, length);
}

static void on_end(struct request_reader *reader)
{
    struct client *client = reader->user_data;

    if (client->http != NULL)
        ws_http_end(client->http);
}

/* --- reading -------------------------------------------------------------------------------- */

/* Keeps what a client has sent beyond the request that is being answered; not read meanwhile, it is
 * at most what one recv() brought. */
static bool keep_rest(struct client *client, const char *bytes, size_t length)
{
    if (length == 0)
        return true;
    client->rest = malloc(length);
    if (client->rest == NULL)
        return false;
    memcpy(client->rest, bytes, length);
    client->rest_length = length;
    return true;
}

/* Reads HTTP; false if the client must be dropped. */
static bool read_requests(struct client *client, const char *bytes, size_t length,
                          uint64_t now_ms)
{
    ptrdiff_t used = request_reader_feed(client->reader, bytes, length);

    if (used < 0 && client->websocket == NULL)
        return false;
    if (client->websocket != NULL) {
        free(client->reader);
        client->reader = NULL;
        await_head(client, false, now_ms);
        if (used > 0 && (size_t)used < length)
            ws_websocket_receive(client->websocket, bytes + used, length - (size_t)used);
        return true;
    }
    if (client->http != NULL)
        await_head(client, false, now_ms);
    return keep_rest(client, bytes + used, length - (size_t)used);
}

static bool wants_read(const struct client *client)
{
    if (client->websocket != NULL)
        return ws_websocket_wants_read(client->websocket);
    return client->http == NULL || ws_http_wants_read(client->http);
}

/* While a request is being answered, only the end of the client's connection is of interest. */
static uint32_t events_of(const struct client *client)
{
    if (wants_read(client))
        return EPOLLIN;
    return client->http != NULL ? EPOLLRDHUP : 0;
}

static void end_of_input(struct client *client)
{
    if (client->websocket != NULL)
        ws_websocket_eof(client->websocket);
    else if (client->http != NULL)
        ws_http_eof(client->http);
}

/* False if the client must be dropped. */
static bool read_client(struct client *client, uint64_t now_ms)
{
    static char bytes[READ_BYTES];
    ssize_t n = recv(client->fd, bytes, sizeof bytes, 0);

    if (n < 0 && errno == EAGAIN)
        return true;
    if (n <= 0) {
        end_of_input(client);
        return client->websocket != NULL || client->http != NULL;
    }
    if (client->websocket != NULL)
        ws_websocket_receive(client->websocket, bytes, (size_t)n);
    else
        return read_requests(client, bytes, (size_t)n, now_ms);
    return true;
}

/* --- writing -------------------------------------------------------------------------------- */

static int get_output(const struct client *client, struct iovec *pieces)
{
    return client->websocket != NULL
               ? ws_websocket_output(client->websocket, pieces, MAX_PIECES)
               : ws_http_output(client->http, pieces, MAX_PIECES);
}

static void note_sent(const struct client *client, size_t n)
{
    if (client->websocket != NULL)
        ws_websocket_sent(client->websocket, n);
    else
        ws_http_sent(client->http, n);
}

/* Returns EPOLLOUT if the socket is full, 0 if nothing is left to write, EPOLLERR if the connection
 * is broken. */
static uint32_t write_pieces(const struct client *client)
{
    struct iovec pieces[MAX_PIECES];
    int count;

    while ((count = get_output(client, pieces)) > 0) {
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(client->fd, &message, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return EPOLLERR;
        note_sent(client, n > 0 ? (size_t)n : 0);
        if (n <= 0)
            return EPOLLOUT;
    }
    return 0;
}

/* Goes on after a response; false if the client must be dropped. */
static bool next_request(struct client *client, uint64_t now_ms)
{
    bool keeps_alive = ws_http_keeps_alive(client->http) != 0;
    char *rest = client->rest;
    size_t length = client->rest_length;
    bool result = keeps_alive;

    ws_http_free(client->http);
    client->http = NULL;
    client->rest = NULL;
    client->rest_length = 0;
    if (keeps_alive) {
        await_head(client, true, now_ms);
        if (length > 0)
            result = read_requests(client, rest, length, now_ms);
    }
    free(rest);
    return result;
}

void client_write(struct client *client, uint64_t now_ms)
{
    uint32_t events = write_pieces(client);
    bool goes_on = events != EPOLLERR;

    if (goes_on && client->websocket != NULL)
        goes_on = !ws_websocket_ended(client->websocket);
    else if (goes_on && ws_http_ended(client->http))
        goes_on = next_request(client, now_ms);
    if (goes_on)
        watch(client, events | events_of(client));
    else
        drop(client);
}

/* --- events --------------------------------------------------------------------------------- */

void client_serve(struct client *client, uint32_t events, uint64_t now_ms)
{
    bool is_reading = (client->watched & EPOLLIN) != 0;

    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && !is_reading) {
        drop(client);
        return;
    }
    if (is_reading && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 &&
        !read_client(client, now_ms)) {
        drop(client);
        return;
    }
    if (!is_reading && (events & EPOLLRDHUP) != 0) {
        end_of_input(client);
        watch(client, client->watched & ~(uint32_t)EPOLLRDHUP);
        return;
    }
    if ((events & EPOLLOUT) != 0)
        client_write(client, now_ms);
    else
        watch(client, (client->watched & EPOLLOUT) | events_of(client));
}

bool client_new(struct host *host, int fd, uint64_t now_ms)
{
    struct client *client = calloc(1, sizeof *client);
    struct request_reader *reader = calloc(1, sizeof *reader);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    if (client == NULL || reader == NULL ||
        epoll_ctl(host->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        free(client);
        free(reader);
        return false;
    }
    request_reader_init(reader);
    reader->on_head = on_head;
    reader->on_body = on_body;
    reader->on_end = on_end;
    reader->user_data = client;
    client->host = host;
    client->reader = reader;
    client->fd = fd;
    client->watched = EPOLLIN;
    client->is_waiting = true;
    client->head_deadline_ms = now_ms + HEAD_TIMEOUT_MS;
    append(client);
    return true;
}

uint64_t clients_drop_silent(struct host *host, uint64_t now_ms)
{
    struct client *client;

    /* The analyzer does not see that drop() unlinks the client before it frees it. */
    while ((client = host->waiting.first) != NULL &&
           client->head_deadline_ms <= now_ms) /* NOLINT(clang-analyzer-unix.Malloc) */
        drop(client);
    return client != NULL ? client->head_deadline_ms : WS_NO_DEADLINE;
}

static void drop_all(struct client_list *list)
{
    struct client *next;

    for (struct client *client = list->first; client != NULL; client = next) {
        next = client->next;
        drop(client);
    }
}

void clients_drop_all(struct host *host)
{
    drop_all(&host->waiting);
    drop_all(&host->clients);
}
