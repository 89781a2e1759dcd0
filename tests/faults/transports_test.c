/* transports_test.c: connections of the application's own transports, raw ones among them, while
 * each allocation of the process fails in turn: a connection that stays open has received every
 * event that was accepted. */
#include <stdio.h>
#include <string.h>

#include "faults/each_failure.h"
#include "faults/receivers.h"

enum { N_EVENTS = 6, SPREAD_MS = 40, STEP_MS = 10 };

static ws_manager *manager;
static ws_loop *loop;
static uint64_t now_ms;
static struct receiver ann;   /* a user, in a room, with a queue that fills up */
static struct receiver guest; /* anonymous */
static struct receiver raw;
static bool accepted[N_EVENTS];
static char first_id[64]; /* of the first event */
static int n_open;        /* on_connect less on_disconnect */

/* --- the application ------------------------------------------------------------------------- */

static void on_connect(ws_manager *of, const ws_connection_info *connection, void *user_data)
{
    (void)user_data;
    n_open++;
    ws_manager_join_room(of, connection->id, "everyone's");
}

static void on_disconnect(ws_manager *of, const ws_connection_info *connection, uint16_t code,
                          const char *reason, void *user_data)
{
    (void)of;
    (void)connection;
    (void)code;
    (void)reason;
    (void)user_data;
    n_open--;
}

static void on_raw(ws_manager *of, const ws_connection_info *connection, const void *data,
                   size_t length, int is_text, void *user_data)
{
    (void)user_data;
    if (is_text)
        ws_manager_send_text(of, connection->id, data, length);
    else
        ws_manager_send_binary(of, connection->id, data, length);
}

static void turn(void)
{
    for (int i = 0; i < 1000 && ws_loop_run(loop, now_ms) == now_ms; i++)
        ;
}

static void connect_all(void)
{
    static const char *const rooms[] = {"orders", "a second"};
    ws_connect_options options;

    ws_connect_options_init(&options);
    options.user_id = "ann";
    options.rooms = rooms;
    options.n_rooms = 2;
    ann.keeps_first = true;
    ann.first = NULL;
    receiver_connect(&ann, manager, loop, &options);
    receiver_connect(&guest, manager, loop, NULL);
    ws_connect_options_init(&options);
    options.protocol = WS_PROTOCOL_RAW;
    receiver_connect(&raw, manager, loop, &options);
    turn();
}

static bool begin(void)
{
    ws_manager_options options;

    manager = NULL;
    loop = NULL;
    now_ms = 0;
    n_open = 0;
    ann.id = guest.id = raw.id = 0;
    memset(accepted, 0, sizeof accepted);
    first_id[0] = '\0';
    ws_manager_options_init(&options);
    options.on_connect = on_connect;
    options.on_disconnect = on_disconnect;
    options.on_raw = on_raw;
    return ws_manager_new(&options, &manager) == WS_OK &&
           ws_loop_new(manager, NULL, now_ms, &loop) == WS_OK;
}

/* --- a life ---------------------------------------------------------------------------------- */

static void receive(const struct receiver *from, const char *text, int is_text)
{
    if (from->id != 0 && !from->closed)
        ws_manager_receive(manager, from->id, text, strlen(text), is_text);
}

static void talk(void)
{
    receive(&ann, "{\"type\":\"join_room\",\"room\":\"third\",\"ref\":1}", 1);
    receive(&ann, "{\"type\":\"leave_room\",\"room\":\"third\",\"ref\":2}", 1);
    receive(&guest, "{\"type\":\"ping\",\"ref\":3}", 1);
    receive(&raw, "plain text", 1);
    receive(&raw, "plain bytes", 0);
    turn();
}

static void send_number(int n)
{
    char data[32];
    int length = snprintf(data, sizeof data, "{\"n\":%d}", n);
    ws_event *event;

    if (ws_event_new(manager, "order_created", data, (size_t)length, &event) != WS_OK)
        return;
    accepted[n] = ws_manager_broadcast(manager, event, NULL, 0) == WS_OK;
    if (n == 0)
        snprintf(first_id, sizeof first_id, "%s", ws_event_id(event));
    ws_event_free(event);
}

static void send_events(void)
{
    ws_event *event;

    for (int n = 0; n < N_EVENTS; n++) {
        send_number(n);
        if (n % 2 == 1)
            turn();
    }
    if (ws_event_new(manager, "notification", "\"in person\"", 11, &event) == WS_OK) {
        ws_event_set_user_id(event, "ann");
        ws_manager_send_personal_message(manager, guest.id, event, NULL, 0);
        ws_event_free(event);
    }
    if (ws_event_new(manager, "notification", "\"at home\"", 9, &event) == WS_OK) {
        ws_manager_broadcast_to_room(manager, "orders", event, &guest.id, 1);
        ws_event_free(event);
    }
    turn();
}

/* A client must not stay connected and miss an event because an allocation failed. */
static void expect_everything(const struct receiver *receiver)
{
    char data[32];

    if (receiver->id == 0 || receiver->closed)
        return;
    expect(receiver_got(receiver, "\"welcome\""), "there is no welcome");
    for (int n = 0; n < N_EVENTS; n++) {
        snprintf(data, sizeof data, "{\"n\":%d}", n);
        expect(receiver_got(receiver, data) == accepted[n], data);
    }
}

static void give_back_first(void)
{
    if (ann.first == NULL)
        return;
    ws_message_unref(ann.first);
    ann.first = NULL;
    ann.keeps_first = false;
    ws_manager_transport_writable(manager, ann.id);
}

/* One client comes back for what it missed, one fails, one is disconnected, and the others are
 * drained over some time. */
static void leave(void)
{
    static const char *const rooms[] = {"orders"};
    ws_connect_options options;
    ws_drain_options drain;

    if (guest.id != 0)
        ws_manager_transport_closed(manager, guest.id, 1006, "broke");
    ws_connect_options_init(&options);
    options.after = first_id;
    options.rooms = rooms;
    options.n_rooms = 1;
    receiver_connect(&guest, manager, loop, &options);
    turn();
    ws_manager_disconnect(manager, raw.id, 4000, "enough");
    turn();
    ws_drain_options_init(&drain);
    drain.spread_ms = SPREAD_MS;
    ws_manager_drain(manager, &drain);
    for (; now_ms <= SPREAD_MS; now_ms += STEP_MS)
        turn();
}

static void live(void)
{
    if (begin()) {
        connect_all();
        talk();
        send_events();
        expect_everything(&ann);
        expect_everything(&guest);
        give_back_first();
        leave();
    }
    ws_loop_free(loop);
    ws_manager_free(manager);
    expect(n_open == 0, "on_connect without on_disconnect");
}

static void expect_whole_life(void)
{
    static const char *const for_ann[] = {"\"ref\":1", "\"ref\":2", "{\"n\":5}", "at home"};

    for (size_t i = 0; i < sizeof for_ann / sizeof *for_ann; i++)
        expect(receiver_got(&ann, for_ann[i]), for_ann[i]);
    expect(receiver_got(&guest, "{\"n\":5}"), "the client that came back lacks a missed event");
    expect(receiver_got(&guest, "\"recovered\""),
           "the client that came back lacks `recovered`");
    expect(receiver_got(&raw, "plain text"), "the text was not echoed");
    expect(receiver_got(&raw, "plain bytes"), "the bytes were not echoed");
    expect(!receiver_got(&raw, "{\"n\":"), "a raw connection received an event");
    expect(ann.closed && guest.closed && raw.closed, "a connection was not closed");
}

int main(void)
{
    fail_each_allocation(live, expect_whole_life);
    return 0;
}
