/* micro.c: single steps of the library. Each runs a thousand times within measured(), so that
 * micro_instructions can count its instructions, even on a busy machine.
 * Without an argument all steps run once. Not here: times. */
#include <stdio.h>
#include <string.h>

#include "client_bytes.h"
#include "core/manager.h"
#include "core/sending/encode.h"
#include "figures.h"
#include "memory_host.h"
#include "sample_order.h"

enum { TIMES = 1000 };

struct step {
    const char *name;
    void (*prepare)(struct memory_host *host);
    void (*carry_out)(struct memory_host *host);
    int protocol;
};

static void connect_all(struct memory_host *host)
{
    memory_host_connect(host, 0, TIMES, TIMES);
}

static void handshakes(struct memory_host *host)
{
    static const char request[] = "GET /ws?user_id=ana HTTP/1.1\r\n"
                                  "Host: server.example.com\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: " CLIENT_KEY "\r\n"
                                  "Sec-WebSocket-Version: 13\r\n\r\n";

    for (size_t i = 0; i < TIMES; i++) {
        struct memory_client *client = &host->clients[i];

        require_ok(ws_websocket_new(host->loop, host->endpoint, client, &client->websocket),
                   "ws_websocket_new");
        require_ok(ws_websocket_receive(client->websocket, request, sizeof request - 1),
                   "a handshake");
    }
    memory_host_turn(host);
}

static void join_all(struct memory_host *host)
{
    for (size_t i = 0; i < TIMES; i++)
        memory_host_join(host, i, "orders");
    memory_host_turn(host);
}

static void leave_all(struct memory_host *host)
{
    for (size_t i = 0; i < TIMES; i++)
        require_ok(ws_manager_leave_room(host->manager, memory_host_id(host, i), "orders"),
                   "leaving a room");
    memory_host_turn(host);
}

static void prepare_members(struct memory_host *host)
{
    connect_all(host);
    join_all(host);
}

static void route_to_room(struct memory_host *host)
{
    memory_host_route(host, "orders");
}

static void emit_all(struct memory_host *host)
{
    for (size_t i = 0; i < TIMES; i++)
        memory_host_emit(host);
}

static void prepare_delivery(struct memory_host *host)
{
    connect_all(host);
    memory_host_emit(host);
}

static void encode_all(struct memory_host *host)
{
    const struct event_fields event = {
        .type = "order_created",
        .data = SAMPLE_ORDER,
        .data_length = SAMPLE_ORDER_LENGTH,
        .timestamp_ms = 1795559000123,
        .room = "orders",
    };

    for (size_t i = 0; i < TIMES; i++) {
        ws_message *message = encode_event(&host->manager->memory, &event, NULL, 0);

        require(message != NULL, "encoding an event");
        ws_message_unref(message);
    }
}

static void receive_all(struct memory_host *host, const char *text)
{
    uint8_t frame[CLIENT_FRAME_MAX];
    size_t length = client_text(frame, text);

    for (size_t i = 0; i < TIMES; i++)
        require_ok(ws_websocket_receive(host->clients[i].websocket, frame, length),
                   "a client's message");
}

static void receive_raw(struct memory_host *host)
{
    receive_all(host, "{\"type\":\"ping\"}");
}

static void answer_pings(struct memory_host *host)
{
    receive_all(host, "{\"type\":\"ping\"}");
    memory_host_turn(host);
}

static const struct step steps[] = {
    {"handshake_with_welcome", NULL, handshakes, WS_PROTOCOL_JSON},
    {"join", connect_all, join_all, WS_PROTOCOL_JSON},
    {"leave", prepare_members, leave_all, WS_PROTOCOL_JSON},
    {"encode_event", NULL, encode_all, WS_PROTOCOL_JSON},
    {"emit_to_empty_room", route_to_room, emit_all, WS_PROTOCOL_JSON},
    {"delivery", prepare_delivery, memory_host_turn, WS_PROTOCOL_JSON},
    {"client_frame", connect_all, receive_raw, WS_PROTOCOL_RAW},
    {"client_ping_with_answer", connect_all, answer_pings, WS_PROTOCOL_JSON},
};

/* micro_instructions finds this function by name, so it must not be inlined. */
void measured(const struct step *step, struct memory_host *host);

__attribute__((noinline)) void measured(const struct step *step, struct memory_host *host)
{
    step->carry_out(host);
}

static void carry_out(const struct step *step)
{
    struct memory_host_options options;
    struct memory_host host;

    memory_host_options_init(&options);
    options.endpoint.protocol = step->protocol;
    memory_host_open(&host, &options, TIMES);
    if (step->prepare != NULL)
        step->prepare(&host);
    measured(step, &host);
    memory_host_close(&host);
    printf("%s %d times\n", step->name, TIMES);
}

int main(int argc, char **argv)
{
    bool found = false;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (argc > 1 && strcmp(argv[1], steps[i].name) != 0)
            continue;
        carry_out(&steps[i]);
        found = true;
    }
    require(found, "there is no such step");
    return 0;
}
