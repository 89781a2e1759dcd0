/* polling.c: clients of Engine.IO that poll, post, upgrade and vanish, on either loop and in
 * any order, while callbacks do anything: requests with any query and body, and frames of any
 * kind on a probe. */
#include <stdio.h>
#include <string.h>

#include "fuzz/support/input.h"
#include "sse/host.h"

enum { MAX_ACTS = 120, MAX_NESTED = 3, N_SESSIONS = 4 };

static struct host host;
static struct fuzz_input input;
static char sessions[N_SESSIONS][128]; /* "&sid=…" of the last ones that were opened */
static ws_websocket *probe;
static ws_conn_id connection; /* the last one */
static unsigned nested;
static unsigned n_acts;

static void act(void);

static bool has_room(void)
{
    for (size_t i = 0; i < HOST_MAX_PAGES; i++)
        if (host.pages[i].http == NULL)
            return true;
    return false;
}

static struct page *request(const char *method, const char *query, const char *body)
{
    char target[512];
    int loop = (int)input_below(&input, HOST_LOOPS);

    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s", query);
    if (input_below(&input, 4) == 0)
        return host_begin_request(&host, loop, method, target, body);
    return host_request(&host, loop, method, target, NULL, body);
}

static const char *some_session(void)
{
    return sessions[input_below(&input, N_SESSIONS)];
}

static void open_session(void)
{
    struct page *page = has_room() ? request("GET", "", NULL) : NULL;
    char sid[100];

    if (page == NULL)
        return;
    page_read(page);
    if (page->body != NULL && sscanf(page->body, "0{\"sid\":\"%99[^\"]\"", sid) == 1)
        snprintf(sessions[input_below(&input, N_SESSIONS)], sizeof sessions[0], "&sid=%s", sid);
}

static void post(void)
{
    static const char several[] = "42[\"a\"]\x1e"
                                  "6\x1e"
                                  "4x";
    static const char binary[] = "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\x1e"
                                 "bAQID";
    static const char *const known[] = {"40", "3", "1", several, binary};
    struct text body = input_string(&input);
    unsigned which = input_below(&input, 6);

    if (has_room())
        request("POST", some_session(), which < 5 ? known[which] : body.bytes);
    text_free(&body);
}

static void request_anything(void)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "OPTIONS", "HEAD"};
    struct text query = input_string(&input);

    if (has_room())
        request(methods[input_below(&input, 5)], query.bytes, "4");
    text_free(&query);
}

/* --- the upgrade ----------------------------------------------------------------------------- */

static void open_probe(void)
{
    static const ws_header headers[] = {
        {"Host", "localhost"},
        {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},
        {"Sec-WebSocket-Version", "13"},
        {"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="},
    };
    char target[256];

    ws_websocket_free(probe);
    probe = NULL;
    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=websocket%s", some_session());
    if (ws_websocket_new(host.loops[0], host.endpoint, &host, &probe) == WS_OK)
        ws_websocket_upgrade(probe, "GET", 1, 1, target, headers, 5);
}

static void use_probe(void)
{
    static const char *const known[] = {"2probe", "5", "4x", "40", "3"};
    struct text text = input_string(&input);
    unsigned which = input_below(&input, 6);
    const char *packet = which < 5 ? known[which] : text.bytes;
    size_t length = strlen(packet) < 125 ? strlen(packet) : 125;
    unsigned char frame[131] = {0x81, (unsigned char)(0x80 | length)};

    memcpy(frame + 6, packet, length); /* masked with zeros */
    if (probe != NULL)
        ws_websocket_receive(probe, frame, 6 + length);
    text_free(&text);
}

static void end_probe(void)
{
    ws_websocket *ended = probe;

    switch (input_below(&input, 3)) {
    case 0:
        ws_websocket_eof(probe);
        break;
    case 1:
        ws_websocket_close(probe, WS_CLOSE_NORMAL, NULL);
        break;
    default:
        probe = NULL;
        ws_websocket_free(ended);
    }
}

/* --- the host's and the application's -------------------------------------------------------- */

static void send_something(void)
{
    struct text text = input_bytes(&input);

    switch (input_below(&input, 4)) {
    case 0:
        ws_manager_send_binary(host.manager, connection, text.bytes, text.length);
        break;
    case 1:
        ws_manager_disconnect(host.manager, connection, WS_CLOSE_NORMAL, "x");
        break;
    case 2:
        host_emit(&host, NULL, 7);
        break;
    default:
        ws_manager_send_text(host.manager, connection, "text", 4);
    }
    text_free(&text);
}

static void act_on(struct page *page)
{
    switch (input_below(&input, 3)) {
    case 0:
        ws_http_eof(page->http);
        break;
    case 1:
        page_free(page);
        break;
    default:
        page->writable = input_below(&input, 2) == 1 ? SIZE_MAX : input_byte(&input);
    }
}

static void drain_probe(void)
{
    ws_websocket *websocket;
    struct iovec pieces[4];
    int count;

    while ((websocket = ws_loop_next_output(host.loops[0])) != NULL)
        while ((count = ws_websocket_output(websocket, pieces, 4)) > 0) {
            size_t n = 0;

            for (int i = 0; i < count; i++)
                n += pieces[i].iov_len;
            ws_websocket_sent(websocket, n);
        }
}

static void take_turn(void)
{
    if (nested > 0)
        return;
    host_pass(&host, input_below(&input, 4) == 0 ? 25100 : 16 * input_byte(&input));
    drain_probe();
    for (size_t i = 0; i < host.n_pages; i++)
        if (host.pages[i].http != NULL && ws_http_ended(host.pages[i].http))
            page_free(&host.pages[i]);
}

static void act(void)
{
    if (n_acts++ >= MAX_ACTS || input.length == 0)
        return;
    switch (input_below(&input, nested == 0 ? 10 : 4)) {
    case 0:
        send_something();
        break;
    case 1:
        act_on(&host.pages[input_below(&input, HOST_MAX_PAGES)]);
        break;
    case 2:
        end_probe();
        break;
    case 3:
        take_turn();
        break;
    case 4:
        open_session();
        break;
    case 5:
        if (has_room())
            request("GET", some_session(), NULL);
        break;
    case 6:
        post();
        break;
    case 7:
        request_anything();
        break;
    case 8:
        open_probe();
        break;
    default:
        use_probe();
    }
}

static void act_nested(void)
{
    if (nested >= MAX_NESTED)
        return;
    nested++;
    act();
    nested--;
}

static void on_connect(ws_manager *manager, const ws_connection_info *info, void *user_data)
{
    (void)manager;
    (void)user_data;
    connection = info->id;
    act_nested();
}

static void on_disconnect(ws_manager *manager, const ws_connection_info *info, uint16_t code,
                          const char *reason, void *user_data)
{
    (void)manager;
    (void)info;
    (void)code;
    (void)reason;
    (void)user_data;
    act_nested();
}

static void on_raw(ws_manager *manager, const ws_connection_info *info, const void *data,
                   size_t length, int is_text, void *user_data)
{
    (void)is_text;
    (void)user_data;
    ws_manager_send_binary(manager, info->id, data, length);
    act_nested();
}

static void on_event(ws_manager *manager, const ws_connection_info *info,
                     const ws_socketio_event *event, void *user_data)
{
    (void)user_data;
    if (event->ack_id != WS_SOCKETIO_NO_ACK) {
        ws_socketio_message message;

        ws_socketio_message_init(&message);
        ws_socketio_ack(manager, info->id, event->ack_id, &message);
    }
    act_nested();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct host_options options;
    ws_socketio_options socketio;

    input = (struct fuzz_input){data, length};
    n_acts = nested = 0;
    memset(sessions, 0, sizeof sessions);
    probe = NULL;
    connection = 0;
    host_options_init(&options);
    ws_socketio_options_init(&socketio);
    socketio.on_event = on_event;
    options.manager.on_connect = on_connect;
    options.manager.on_disconnect = on_disconnect;
    options.manager.on_raw = on_raw;
    options.endpoint.accept_handshake = NULL;
    options.endpoint.protocol =
        input_below(&input, 2) == 1 ? WS_PROTOCOL_SOCKETIO : WS_PROTOCOL_ENGINEIO;
    options.endpoint.socketio =
        options.endpoint.protocol == WS_PROTOCOL_SOCKETIO ? &socketio : NULL;
    options.endpoint.max_message_bytes = 64;
    options.endpoint.max_queue_bytes = 200 + 64 * input_below(&input, 256);
    host_open(&host, &options);
    while (input.length > 0 && n_acts < MAX_ACTS)
        act();
    take_turn();
    ws_websocket_free(probe);
    host_close(&host);
    return 0;
}
