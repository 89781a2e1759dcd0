/* server_test.c: the life of a server with one thread, whose clients ask it, now and later, and
 * open a WebSocket, while each allocation of the process fails in turn. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ws_manager/server.h>
#include <ws_manager/ws_manager.h>

#include "faults/each_failure.h"

enum { RECEIVED_BYTES = 4096, LONGEST_MS = 2000 };

static const char requests[] =
    "GET /now?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n"
    "POST /later HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
    "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
static const char handshake[] =
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

struct peer {
    int fd;
    size_t length;
    bool ended;
    char received[RECEIVED_BYTES];
};

static ws_server *server;
static ws_server_ticket *ticket; /* NULL: there is none */
static struct peer asker;
static struct peer listener;
static uint64_t until_ms;

static void peer_open(struct peer *peer, const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    *peer = (struct peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    address.sin_port =
        htons((uint16_t)strtoul(strrchr(ws_server_url(server), ':') + 1, NULL, 10));
    expect(connect(peer->fd, (struct sockaddr *)&address, sizeof address) == 0, "connect()");
    expect(send(peer->fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text), "send()");
    fcntl(peer->fd, F_SETFL, O_NONBLOCK);
}

static void peer_receive(struct peer *peer)
{
    ssize_t part =
        recv(peer->fd, peer->received + peer->length, sizeof peer->received - peer->length, 0);

    if (part > 0)
        peer->length += (size_t)part;
    else if (part == 0 || errno != EAGAIN)
        peer->ended = true;
}

static bool peer_has(const struct peer *peer, const char *text)
{
    return memmem(peer->received, peer->length, text, strlen(text)) != NULL;
}

/* Whether it has received a frame: one that closes it, if memory is short. */
static bool has_frame(const struct peer *peer)
{
    const char *head_end = memmem(peer->received, peer->length, "\r\n\r\n", 4);

    return head_end != NULL && head_end + 4 < peer->received + peer->length;
}

static void set_answer(ws_server_response *response, const char *text)
{
    static const ws_header header = {"X-One", "1"};

    ws_server_response_init(response);
    response->headers = &header;
    response->n_headers = 1;
    response->body = text;
    response->length = strlen(text);
}

static void on_request(ws_server_request *request, void *user_data)
{
    ws_server_response response;

    (void)user_data;
    set_answer(&response, "said now");
    if (strcmp(ws_server_request_path(request), "/now") == 0)
        ws_server_answer(request, &response);
    else
        ws_server_defer(request, &ticket); /* else 500 is sent */
}

/* Is the clients, and ends the life when they have what they can get. */
static uint64_t run_timers(uint32_t thread, uint64_t now_ms, void *user_data)
{
    ws_server_response response;

    (void)thread;
    (void)user_data;
    if (ticket != NULL) {
        set_answer(&response, "said later");
        ws_server_answer_later(ticket, &response);
        ticket = NULL;
    }
    peer_receive(&asker);
    peer_receive(&listener);
    if (until_ms == 0)
        until_ms = now_ms + LONGEST_MS;
    if (asker.ended && (listener.ended || has_frame(&listener)))
        ws_server_drain(server);
    expect(now_ms < until_ms, "a client has neither an answer nor the end");
    return now_ms + 1;
}

static void serve(ws_manager *manager)
{
    ws_server_options options;

    ws_server_options_init(&options);
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    options.caller_runs = 1;
    options.stop_timeout_ms = 0; /* what is left is closed at once */
    options.health_path = "/health";
    options.on_request = on_request;
    options.run_timers = run_timers;
    if (ws_server_start(manager, &options, &server) != WS_OK) {
        expect(server == NULL, "a server that was not started");
        return;
    }
    until_ms = 0;
    peer_open(&asker, requests);
    peer_open(&listener, handshake);
    ws_server_run(server);
    ws_server_free(server);
    close(asker.fd);
    close(listener.fd);
}

static void live(void)
{
    ws_manager *manager;

    asker.length = listener.length = 0;
    if (ws_manager_new(NULL, &manager) != WS_OK)
        return;
    serve(manager);
    ws_manager_free(manager);
}

static void expect_whole_life(void)
{
    expect(peer_has(&asker, "said now"), "the answer that is given at once");
    expect(peer_has(&asker, "said later"), "the answer that is given later");
    expect(peer_has(&asker, "{\"status\":\"ok\"}"), "the server's own answer");
    expect(peer_has(&listener, "welcome"), "what opens a WebSocket");
}

int main(void)
{
    fail_each_allocation(live, expect_whole_life);
    return 0;
}
