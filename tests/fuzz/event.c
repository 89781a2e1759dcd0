/* event.c: events with any type, data, user and room: the message that a client receives is valid
 * JSON with the same content. Not here: the recipients (model.c) and bytes of WebSockets
 * (websocket.c). */
#include <string.h>

#include <cjson/cJSON.h>

#include <ws_manager/ws_manager.h>

#include "base/json_text.h"
#include "fuzz/support/input.h"

struct wanted {
    struct text type;
    struct text data;
    struct text user;
    struct text room;
    bool has_user;
    bool in_room;
    bool welcomed; /* by the first message */
    unsigned n_came;
};

static void expect_text(struct json_slice value, const char *wanted)
{
    cJSON *json = cJSON_ParseWithLength(value.text, value.length);

    ck_assert(cJSON_IsString(json));
    ck_assert_str_eq(json->valuestring, wanted);
    cJSON_Delete(json);
}

static bool is_blank(char byte)
{
    return strchr(" \t\r\n", byte) != NULL && byte != '\0';
}

/* White space around the data does not matter. */
static void expect_data(struct json_slice value, struct text wanted)
{
    const char *from = wanted.bytes;
    size_t length = wanted.length;

    for (; length > 0 && is_blank(*from); from++)
        length--;
    while (length > 0 && is_blank(from[length - 1]))
        length--;
    ck_assert_uint_eq(value.length, length);
    ck_assert_mem_eq(value.text, from, length);
}

static int expect_event(ws_message *message, void *transport_data)
{
    static const char *const names[] = {"type", "data", "user_id", "room", "timestamp"};
    struct wanted *wanted = transport_data;
    struct json_slice values[5];
    size_t length;
    const char *text = ws_message_payload(message, &length);

    ck_assert(json_valid(text, length, JSON_MAX_DEPTH));
    ck_assert(json_members(text, length, names, values, 5));
    if (!wanted->welcomed) {
        wanted->welcomed = true;
        return WS_OK;
    }
    wanted->n_came++;
    expect_text(values[0], wanted->type.bytes);
    expect_data(values[1], wanted->data);
    if (wanted->has_user)
        expect_text(values[2], wanted->user.bytes);
    else
        ck_assert_int_eq(memcmp(values[2].text, "null", 4), 0);
    ck_assert_int_eq(values[3].text != NULL, wanted->in_room);
    if (wanted->in_room)
        expect_text(values[3], wanted->room.bytes);
    return WS_OK;
}

static void ignore_close(uint16_t code, const char *reason, size_t length, void *transport_data)
{
    (void)code;
    (void)reason;
    (void)length;
    (void)transport_data;
}

static void send_event(ws_manager *manager, ws_loop *loop, ws_conn_id client,
                       struct wanted *wanted)
{
    ws_event *event;

    if (ws_event_new(manager, wanted->type.bytes, wanted->data.bytes, wanted->data.length,
                     &event) != WS_OK)
        return;
    wanted->has_user = ws_event_set_user_id(event, wanted->user.bytes) == WS_OK;
    wanted->in_room = ws_manager_join_room(manager, client, wanted->room.bytes) == WS_OK;
    if (wanted->in_room)
        ck_assert_int_eq(
            ws_manager_broadcast_to_room(manager, wanted->room.bytes, event, NULL, 0), WS_OK);
    else
        ck_assert_int_eq(ws_manager_broadcast(manager, event, NULL, 0), WS_OK);
    ck_assert_int_eq(ws_manager_broadcast(manager, event, NULL, 0), WS_ERR_ALREADY);
    ws_event_free(event);
    while (ws_loop_run(loop, 0) == 0)
        ;
    ck_assert_uint_eq(wanted->n_came, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static const ws_transport transport = {
        .size = sizeof transport, .send = expect_event, .close = ignore_close};
    struct fuzz_input input = {data, length};
    struct wanted wanted = {0};
    ws_connect_options options;
    ws_manager *manager;
    ws_loop *loop;
    ws_conn_id client;

    wanted.type = input_string(&input);
    wanted.user = input_string(&input);
    wanted.room = input_string(&input);
    wanted.data = input_rest(&input);
    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    ck_assert_int_eq(ws_loop_new(manager, NULL, 0, &loop), WS_OK);
    ws_connect_options_init(&options);
    options.transport = &transport;
    options.transport_data = &wanted;
    ck_assert_int_eq(ws_manager_connect(manager, loop, &options, &client), WS_OK);
    ws_manager_register_event_type(manager, wanted.type.bytes);
    send_event(manager, loop, client, &wanted);
    ws_loop_free(loop);
    ws_manager_free(manager);
    text_free(&wanted.type);
    text_free(&wanted.user);
    text_free(&wanted.room);
    text_free(&wanted.data);
    return 0;
}
