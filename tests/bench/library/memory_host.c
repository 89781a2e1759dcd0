/* memory_host.c: a host without sockets, with real connections of the WebSocket transport.
 * Not here: what is measured with it. */
#include "memory_host.h"

#include <stdio.h>
#include <stdlib.h>

#include "client_bytes.h"
#include "figures.h"
#include "sample_order.h"

/* As many pieces as a host passes to writev() at once. */
enum { PIECES = 16 };

/* The clock stands still, so that the cost of timers does not depend on the machine's speed. */
enum { NOW_MS = 1000 };

static int name_user(ws_handshake *handshake, void *user_data)
{
    const char *user_id;
    int result = ws_handshake_query_parameter(handshake, "user_id", &user_id, NULL);

    (void)user_data;
    return result == WS_OK ? ws_handshake_set_user_id(handshake, user_id) : result;
}

void memory_host_options_init(struct memory_host_options *options)
{
    ws_manager_options_init(&options->manager);
    options->manager.presence_events = WS_PRESENCE_OFF;
    options->manager.max_connections = 0;
    ws_endpoint_options_init(&options->endpoint);
    options->endpoint.accept_handshake = name_user;
    ws_loop_options_init(&options->loop);
}

void memory_host_open(struct memory_host *host, const struct memory_host_options *options,
                      size_t n_clients)
{
    struct memory_host_options defaults;

    if (options == NULL) {
        memory_host_options_init(&defaults);
        options = &defaults;
    }
    *host = (struct memory_host){.n_clients = n_clients};
    host->clients = allocate(n_clients, sizeof *host->clients);
    require_ok(ws_manager_new(&options->manager, &host->manager), "ws_manager_new");
    require_ok(ws_endpoint_new(host->manager, &options->endpoint, &host->endpoint),
               "ws_endpoint_new");
    require_ok(ws_loop_new(host->manager, &options->loop, NOW_MS, &host->loop), "ws_loop_new");
}

void memory_host_close(struct memory_host *host)
{
    for (size_t i = 0; i < host->n_clients; i++)
        ws_websocket_free(host->clients[i].websocket);
    ws_loop_free(host->loop);
    ws_endpoint_free(host->endpoint);
    ws_manager_free(host->manager);
    free(host->clients);
}

static void connect_one(struct memory_host *host, size_t number)
{
    struct memory_client *client = &host->clients[number];
    char request[CLIENT_REQUEST_MAX];
    char target[128];
    size_t length;

    snprintf(target, sizeof target, "/ws?user_id=user-%zu%s", number,
             host->more_query != NULL ? host->more_query : "");
    length = client_request(request, target);
    require_ok(ws_websocket_new(host->loop, host->endpoint, client, &client->websocket),
               "ws_websocket_new");
    require_ok(ws_websocket_receive(client->websocket, request, length), "a handshake");
    require(ws_websocket_id(client->websocket) != 0, "a handshake is accepted");
}

void memory_host_connect(struct memory_host *host, size_t first, size_t end, size_t in_a_turn)
{
    for (size_t i = first; i < end; i++) {
        connect_one(host, i);
        if ((i - first + 1) % in_a_turn == 0)
            memory_host_turn(host);
    }
    memory_host_turn(host);
}

void memory_host_receive(struct memory_host *host, size_t client, const char *text)
{
    uint8_t frame[CLIENT_FRAME_MAX];
    size_t length = client_text(frame, text);

    require_ok(ws_websocket_receive(host->clients[client].websocket, frame, length),
               "a client's message");
}

void memory_host_eof(struct memory_host *host, size_t client)
{
    ws_websocket_eof(host->clients[client].websocket);
}

ws_conn_id memory_host_id(const struct memory_host *host, size_t client)
{
    return ws_websocket_id(host->clients[client].websocket);
}

void memory_host_emit(struct memory_host *host)
{
    require_ok(ws_manager_emit_order_created(host->manager, SAMPLE_ORDER, SAMPLE_ORDER_LENGTH),
               "an emit");
}

void memory_host_route(struct memory_host *host, const char *room)
{
    require_ok(ws_manager_route_event_type(host->manager, "order_created", room),
               "routing a type of event");
}

void memory_host_join(struct memory_host *host, size_t client, const char *room)
{
    require_ok(ws_manager_join_room(host->manager, memory_host_id(host, client), room),
               "entering a room");
}

/* Writes all queued output, or nothing if the client is slow, as to a full socket. */
static void take_output(struct memory_host *host, ws_websocket *websocket)
{
    struct memory_client *client = ws_websocket_user_data(websocket);
    struct iovec pieces[PIECES];
    int count = ws_websocket_output(websocket, pieces, PIECES);
    size_t bytes = 0;

    if (client->slow && count > 0) {
        ws_websocket_sent(websocket, 0);
        return;
    }
    for (int i = 0; i < count; i++) {
        bytes += pieces[i].iov_len;
        if (host->on_output != NULL)
            host->on_output(host, client, pieces[i].iov_base, pieces[i].iov_len);
    }
    host->n_bytes += bytes;
    if (count > 0)
        ws_websocket_sent(websocket, bytes);
    if (ws_websocket_ended(websocket)) {
        ws_websocket_free(websocket);
        client->websocket = NULL;
    }
}

void memory_host_turn(struct memory_host *host)
{
    ws_websocket *websocket;

    while (ws_loop_run(host->loop, NOW_MS) <= NOW_MS)
        ;
    while ((websocket = ws_loop_next_output(host->loop)) != NULL)
        take_output(host, websocket);
}

void memory_host_writable(struct memory_host *host, size_t client)
{
    take_output(host, host->clients[client].websocket);
}

void memory_host_count_events(struct memory_host *host, struct memory_client *client,
                              const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        const char *text;
        size_t text_length;
        size_t used = server_text(bytes, length, &text, &text_length);

        client->n_events++;
        host->n_events++;
        bytes += used;
        length -= used;
    }
}
