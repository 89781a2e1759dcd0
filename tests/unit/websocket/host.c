/* host.c: a host in memory for the WebSocket transport. */
#include "websocket/host.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* --- memory --------------------------------------------------------------------------------- */

static bool may_allocate(struct host_memory *memory)
{
    size_t call = memory->calls++;

    if (call < memory->fail_at || (call > memory->fail_at && !memory->for_good))
        return true;
    memory->failed = true;
    return false;
}

static void *count_malloc(size_t bytes, void *user_data)
{
    struct host_memory *memory = user_data;
    void *block = may_allocate(memory) ? malloc(bytes) : NULL;

    if (block != NULL) {
        memory->live++;
        memory->bytes += malloc_usable_size(block);
        if (memory->bytes > memory->most_bytes)
            memory->most_bytes = memory->bytes;
    }
    return block;
}

static void count_free(void *block, void *user_data)
{
    struct host_memory *memory = user_data;

    memory->live--;
    memory->bytes -= malloc_usable_size(block);
    free(block);
}

/* Always moves the block, so that AddressSanitizer reports pointers to the old one. */
static void *count_realloc(void *block, size_t bytes, void *user_data)
{
    size_t old = malloc_usable_size(block);
    void *moved = count_malloc(bytes, user_data);

    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old < bytes ? old : bytes);
    count_free(block, user_data);
    return moved;
}

/* --- callbacks ------------------------------------------------------------------------------ */

static void call_hook(struct host *host, enum host_callback callback,
                      const ws_connection_info *connection)
{
    host->called[callback]++;
    if (host->hook != NULL)
        host->hook(host, callback, connection->user_data, connection->id);
}

static void keep_message(struct host *host, const void *data, size_t length, bool is_text)
{
    bytes_free(&host->message);
    bytes_add(&host->message, data, length);
    host->is_text = is_text;
}

static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    struct host *host = user_data;
    struct peer *peer = ws_websocket_user_data(ws_handshake_websocket(handshake));

    ws_handshake_set_user_data(handshake, peer);
    return host->judge != NULL ? host->judge(host, peer, handshake) : WS_OK;
}

static void on_connect(ws_manager *manager, const ws_connection_info *connection,
                       void *user_data)
{
    (void)manager;
    call_hook(user_data, HOST_CONNECT, connection);
}

static void on_disconnect(ws_manager *manager, const ws_connection_info *connection,
                          uint16_t code, const char *reason, void *user_data)
{
    struct host *host = user_data;

    (void)manager;
    host->code = code;
    ck_assert_uint_lt(strlen(reason), sizeof host->reason);
    strcpy(host->reason, reason);
    call_hook(host, HOST_DISCONNECT, connection);
}

static int accept_message(ws_manager *manager, const ws_connection_info *connection,
                          const ws_client_message *message, void *user_data)
{
    (void)manager;
    keep_message(user_data, message->data, message->length, true);
    call_hook(user_data, HOST_MESSAGE, connection);
    return WS_OK;
}

static void on_raw(ws_manager *manager, const ws_connection_info *connection, const void *data,
                   size_t length, int is_text, void *user_data)
{
    struct host *host = user_data;

    keep_message(host, data, length, is_text != 0);
    if (host->echo && is_text)
        ws_manager_send_text(manager, connection->id, data, length);
    else if (host->echo)
        ws_manager_send_binary(manager, connection->id, data, length);
    call_hook(host, HOST_RAW, connection);
}

static int64_t clock_that_stands(void *user_data)
{
    (void)user_data;
    return INT64_C(1795557600123);
}

/* --- life ----------------------------------------------------------------------------------- */

void host_options_init(struct host_options *options)
{
    options->cluster = NULL;
    ws_manager_options_init(&options->manager);
    options->manager.on_connect = on_connect;
    options->manager.on_disconnect = on_disconnect;
    options->manager.accept_message = accept_message;
    options->manager.on_raw = on_raw;
    options->manager.clock = clock_that_stands;
    options->manager.presence_events = WS_PRESENCE_OFF;
    ws_endpoint_options_init(&options->endpoint);
    options->endpoint.accept_handshake = accept_handshake;
    options->endpoint.protocol = WS_PROTOCOL_RAW;
    options->endpoint.ping_interval_ms = 0;
}

static void count_wake(void *data)
{
    ((struct host *)data)->n_wakes++;
}

int host_try_open(struct host *host, struct host_options *options)
{
    const ws_allocator allocator = {
        .size = sizeof allocator,
        .malloc = count_malloc,
        .realloc = count_realloc,
        .free = count_free,
        .user_data = &host->memory,
    };
    ws_loop_options loop_options;
    struct host_options defaults;
    int result;

    host_options_init(&defaults);
    if (options == NULL)
        options = &defaults;
    options->manager.user_data = host;
    options->manager.allocator = &allocator;
    options->endpoint.user_data = host;
    host->now = 1000000;
    host->echo = true;
    ws_loop_options_init(&loop_options);
    loop_options.wake = count_wake;
    loop_options.user_data = host;
    result = ws_manager_new(&options->manager, &host->manager);
    if (result == WS_OK && options->cluster != NULL)
        result = ws_manager_set_cluster(host->manager, options->cluster, host);
    if (result == WS_OK)
        result = ws_loop_new(host->manager, &loop_options, host->now, &host->loop);
    if (result == WS_OK)
        result = ws_endpoint_new(host->manager, &options->endpoint, &host->endpoint);
    return result;
}

void host_open(struct host *host, struct host_options *options)
{
    memset(host, 0, sizeof *host);
    host->memory.fail_at = SIZE_MAX;
    ck_assert_int_eq(host_try_open(host, options), WS_OK);
}

void host_close(struct host *host)
{
    struct host_memory memory;

    host->hook = NULL;
    for (size_t i = 0; i < host->n_peers; i++) {
        peer_free(&host->peers[i]);
        bytes_free(&host->peers[i].received);
        bytes_free(&host->peers[i].inflated);
    }
    ws_endpoint_free(host->endpoint);
    ws_loop_free(host->loop);
    if (host->manager != NULL)
        ws_manager_set_cluster(host->manager, NULL, NULL);
    ws_manager_free(host->manager);
    bytes_free(&host->message);
    memory = host->memory;
    memset(host, 0, sizeof *host);
    ck_assert_uint_eq(memory.live, 0);
    ck_assert_uint_eq(memory.bytes, 0);
}

void host_turn(struct host *host)
{
    ws_websocket *websocket;

    for (size_t i = 0; i < host->n_peers; i++)
        host->peers[i].listed = 0;
    for (int turn = 0; ws_loop_run(host->loop, host->now) <= host->now; turn++)
        ck_assert_int_lt(turn, 1000);
    while ((websocket = ws_loop_next_output(host->loop)) != NULL) {
        struct peer *peer = ws_websocket_user_data(websocket);

        ck_assert_ptr_eq(peer->websocket, websocket);
        peer->listed++;
        peer_write(peer);
    }
}

void loop_turn(ws_loop *loop)
{
    ws_websocket *websocket;

    while (ws_loop_run(loop, 0) == 0)
        continue;
    while ((websocket = ws_loop_next_output(loop)) != NULL) {
        struct iovec iov[16];
        size_t bytes = 0;
        int n = ws_websocket_output(websocket, iov, 16);

        for (int i = 0; i < n; i++)
            bytes += iov[i].iov_len;
        if (n > 0)
            ws_websocket_sent(websocket, bytes);
    }
}

void host_expect_stats(struct host *host, const char *members)
{
    char *text;

    ck_assert_int_eq(ws_manager_get_stats(host->manager, &text, NULL), WS_OK);
    ck_assert_msg(strstr(text, members) != NULL, "%s is not in %s", members, text);
    ws_manager_free_text(host->manager, text);
}

void host_pass(struct host *host, uint64_t ms)
{
    host->now += ms;
    host_turn(host);
}

struct peer *host_peer(struct host *host)
{
    size_t number = 0;
    struct peer *peer;

    while (number < host->n_peers && host->peers[number].websocket != NULL)
        number++;
    ck_assert_uint_lt(number, HOST_MAX_PEERS);
    if (number == host->n_peers)
        host->n_peers++;
    peer = &host->peers[number];
    bytes_free(&peer->received);
    bytes_free(&peer->inflated);
    *peer = (struct peer){.host = host, .writable = SIZE_MAX};
    if (ws_websocket_new(host->loop, host->endpoint, peer, &peer->websocket) != WS_OK)
        ck_assert_msg(host->memory.failed, "ws_websocket_new() failed without a reason");
    return peer;
}

void peer_free(struct peer *peer)
{
    ws_websocket *websocket = peer->websocket;

    peer->websocket = NULL;
    ws_websocket_free(websocket);
}

/* --- bytes ---------------------------------------------------------------------------------- */

void peer_write(struct peer *peer)
{
    struct iovec iov[64];
    size_t taken = 0;
    int n = ws_websocket_output(peer->websocket, iov, 64);

    for (int i = 0; i < n; i++) {
        size_t room = peer->writable - taken;
        size_t part = iov[i].iov_len < room ? iov[i].iov_len : room;

        bytes_add(&peer->received, iov[i].iov_base, part);
        taken += part;
    }
    if (peer->writable != SIZE_MAX)
        peer->writable -= taken;
    if (n > 0) {
        peer->writes++;
        ws_websocket_sent(peer->websocket, taken);
    }
    peer->ended = ws_websocket_ended(peer->websocket) != 0;
}

static int feed_chunk(struct peer *peer, const uint8_t *data, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    int result;

    ck_assert_ptr_nonnull(copy);
    if (length > 0)
        memcpy(copy, data, length);
    result = ws_websocket_receive(peer->websocket, copy, length);
    free(copy);
    if (peer->websocket != NULL)
        peer->ended = ws_websocket_ended(peer->websocket) != 0;
    return result;
}

int peer_feed(struct peer *peer, const void *data, size_t length, enum chunking chunking)
{
    static uint32_t random = 1;
    const uint8_t *from = data;
    int result = WS_OK;

    while (length > 0 && peer->websocket != NULL) {
        size_t part = chunking == BYTE_BY_BYTE ? 1 : length;

        if (chunking == RANDOM_CHUNKS) {
            random = random * 1664525 + 1013904223;
            part = 1 + (random >> 8) % ((random & 0x80) != 0 ? 5 : 5000);
            part = part < length ? part : length;
        }
        result = feed_chunk(peer, from, part);
        if (result == WS_ERR_BACKPRESSURE) {
            host_turn(peer->host);
            continue;
        }
        from += part;
        length -= part;
    }
    return result;
}

int peer_send_chunked(struct peer *peer, const struct bytes *bytes, enum chunking chunking)
{
    int result = peer_feed(peer, bytes->data, bytes->length, chunking);

    host_turn(peer->host);
    return result;
}

int peer_send(struct peer *peer, const struct bytes *bytes)
{
    return peer_send_chunked(peer, bytes, WHOLE);
}
