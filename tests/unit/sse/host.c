/* host.c: a host in memory for event streams. */
#include "sse/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- callbacks ------------------------------------------------------------------------------- */

static int accept_handshake(ws_handshake *handshake, void *user_data)
{
    struct host *host = user_data;

    ck_assert_ptr_null(ws_handshake_websocket(handshake));
    ck_assert_ptr_nonnull(ws_handshake_host_data(handshake));
    ck_assert_ptr_nonnull(ws_handshake_method(handshake));
    if (host->refuse_with != 0) {
        ws_handshake_refuse(handshake, host->refuse_with, "not you");
        return WS_ERR_FORBIDDEN;
    }
    if (host->declines_gzip)
        ws_handshake_decline_deflate(handshake);
    return host->user_id != NULL ? ws_handshake_set_user_id(handshake, host->user_id) : WS_OK;
}

static int allow_origin(ws_handshake *handshake, void *user_data)
{
    const struct host *host = user_data;
    const char *origin = ws_handshake_header(handshake, "Origin");

    return host->allowed != NULL && origin != NULL && strcmp(origin, host->allowed) == 0
               ? WS_OK
               : WS_ERR_FORBIDDEN;
}

static void on_connect(ws_manager *manager, const ws_connection_info *connection,
                       void *user_data)
{
    (void)manager;
    (void)connection;
    ((struct host *)user_data)->n_connects++;
}

static void on_disconnect(ws_manager *manager, const ws_connection_info *connection,
                          uint16_t code, const char *reason, void *user_data)
{
    struct host *host = user_data;

    (void)manager;
    (void)connection;
    (void)reason;
    host->n_disconnects++;
    host->code = code;
}

static int accept_message(ws_manager *manager, const ws_connection_info *connection,
                          const ws_client_message *message, void *user_data)
{
    struct host *host = user_data;

    (void)manager;
    (void)connection;
    host->n_messages++;
    snprintf(host->message, sizeof host->message, "%.*s", (int)message->length, message->data);
    if (host->on_message != NULL)
        host->on_message(host);
    return WS_OK;
}

static void on_backpressure(ws_manager *manager, const ws_connection_info *connection,
                            int is_high, void *user_data)
{
    struct host *host = user_data;

    (void)manager;
    (void)connection;
    if (host->on_backpressure != NULL)
        host->on_backpressure(host, is_high);
}

/* --- life ------------------------------------------------------------------------------------ */

void host_options_init(struct host_options *options)
{
    ws_manager_options_init(&options->manager);
    options->manager.on_connect = on_connect;
    options->manager.on_disconnect = on_disconnect;
    options->manager.accept_message = accept_message;
    options->manager.on_backpressure = on_backpressure;
    options->manager.presence_events = WS_PRESENCE_OFF;
    ws_endpoint_options_init(&options->endpoint);
    options->endpoint.accept_handshake = accept_handshake;
    options->endpoint.allow_origin = allow_origin;
}

int host_try_open(struct host *host, struct host_options *options)
{
    struct host_options defaults;
    int result;

    host_options_init(&defaults);
    if (options == NULL)
        options = &defaults;
    options->manager.user_data = host;
    options->manager.allocator = &host->memory.allocator;
    options->endpoint.user_data = host;
    host->now = 1000000;
    result = ws_manager_new(&options->manager, &host->manager);
    for (int i = 0; i < HOST_LOOPS && result == WS_OK; i++)
        result = ws_loop_new(host->manager, NULL, host->now, &host->loops[i]);
    if (result == WS_OK)
        result = ws_endpoint_new(host->manager, &options->endpoint, &host->endpoint);
    return result;
}

void host_open(struct host *host, struct host_options *options)
{
    memset(host, 0, sizeof *host);
    test_memory_init(&host->memory);
    ck_assert_int_eq(host_try_open(host, options), WS_OK);
}

void host_close(struct host *host)
{
    for (size_t i = 0; i < host->n_pages; i++)
        page_free(&host->pages[i]);
    ws_endpoint_free(host->endpoint);
    for (int i = 0; i < HOST_LOOPS; i++)
        ws_loop_free(host->loops[i]);
    ws_manager_free(host->manager);
    ck_assert_int_eq(host->memory.n_blocks, 0);
    memset(host, 0, sizeof *host);
}

/* --- turns ----------------------------------------------------------------------------------- */

static void keep(struct page *page, const void *bytes, size_t length)
{
    page->received = realloc(page->received, page->length + length + 1);
    ck_assert_ptr_nonnull(page->received);
    if (length > 0)
        memcpy(page->received + page->length, bytes, length);
    page->length += length;
    page->received[page->length] = '\0';
}

static void write_page(struct page *page)
{
    struct iovec iov[8];
    int n;

    while ((n = ws_http_output(page->http, iov, 8)) > 0) {
        size_t offered = 0;
        size_t taken = 0;

        for (int i = 0; i < n; i++) {
            size_t room = page->writable - taken;
            size_t part = iov[i].iov_len < room ? iov[i].iov_len : room;

            keep(page, iov[i].iov_base, part);
            taken += part;
            offered += iov[i].iov_len;
        }
        if (page->writable != SIZE_MAX)
            page->writable -= taken;
        ws_http_sent(page->http, taken);
        if (page->http == NULL || taken < offered)
            break;
    }
    if (page->http != NULL && ws_http_ended(page->http)) {
        page->ended = true;
        page->kept_alive = ws_http_keeps_alive(page->http) != 0;
    }
}

static void run_loops(struct host *host)
{
    bool again = true;

    for (int turn = 0; again; turn++) {
        ck_assert_int_lt(turn, 1000);
        again = false;
        for (int i = 0; i < HOST_LOOPS; i++)
            again |= ws_loop_run(host->loops[i], host->now) <= host->now;
        again |= turn < 3; /* calls between the loops */
    }
}

void host_write(struct host *host)
{
    for (size_t i = 0; i < host->n_pages; i++)
        if (host->pages[i].http != NULL && !host->pages[i].ended)
            write_page(&host->pages[i]);
}

void host_turn(struct host *host)
{
    ws_http *http;

    for (size_t i = 0; i < host->n_pages; i++)
        host->pages[i].listed = 0;
    run_loops(host);
    for (int i = 0; i < HOST_LOOPS; i++) {
        while ((http = ws_loop_next_http(host->loops[i])) != NULL) {
            struct page *page = ws_http_user_data(http);

            ck_assert_ptr_eq(page->http, http);
            page->listed++;
            write_page(page);
        }
    }
    host_write(host);
}

void host_pass(struct host *host, uint64_t ms)
{
    const uint64_t until = host->now + ms;

    while (host->now < until) {
        uint64_t next = until;

        for (int i = 0; i < HOST_LOOPS; i++) {
            uint64_t deadline = ws_loop_run(host->loops[i], host->now);

            next = deadline < next ? deadline : next;
        }
        host->now = next;
        host_turn(host);
    }
}

void host_emit(struct host *host, const char *room, int number)
{
    char data[32];
    ws_event *event;

    snprintf(data, sizeof data, "{\"n\":%d}", number);
    if (ws_event_new(host->manager, "notification", data, strlen(data), &event) != WS_OK)
        return;
    if (room != NULL)
        ws_manager_broadcast_to_room(host->manager, room, event, NULL, 0);
    else
        ws_manager_broadcast(host->manager, event, NULL, 0);
    ws_event_free(event);
}

/* --- requests -------------------------------------------------------------------------------- */

enum { MAX_HEADERS = 16 };

static size_t split_headers(char *lines, ws_header *headers)
{
    size_t n = 0;
    char *rest = NULL;

    headers[n++] = (ws_header){"Host", "localhost"};
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *colon = strchr(line, ':');

        ck_assert_ptr_nonnull(colon);
        ck_assert_uint_lt(n, MAX_HEADERS);
        *colon = '\0';
        headers[n++] = (ws_header){line, colon + 2};
    }
    return n;
}

static struct page *new_page(struct host *host, int loop)
{
    struct page *page;
    size_t number = 0;

    while (number < host->n_pages && host->pages[number].http != NULL)
        number++;
    ck_assert_uint_lt(number, HOST_MAX_PAGES);
    if (number == host->n_pages)
        host->n_pages++;
    page = &host->pages[number];
    page_free(page);
    *page = (struct page){.host = host, .loop = host->loops[loop], .writable = SIZE_MAX};
    return page;
}

static struct page *begin(struct host *host, int loop, ws_http_request *request,
                          const char *header_lines, const char *body)
{
    struct page *page = new_page(host, loop);
    ws_header headers[MAX_HEADERS];
    char *lines = strdup(header_lines != NULL ? header_lines : "");

    request->n_headers = split_headers(lines, headers);
    request->headers = headers;
    request->client = host->client;
    if (ws_http_new(page->loop, host->endpoint, page, request, &page->http) != WS_OK)
        ck_assert_msg(host->memory.failed, "ws_http_new() failed without a reason");
    free(lines);
    if (page->http != NULL && body != NULL && *body != '\0')
        ws_http_receive(page->http, body, strlen(body));
    if (page->http != NULL)
        ws_http_end(page->http);
    return page;
}

struct page *host_request(struct host *host, int loop, const char *method, const char *target,
                          const char *headers, const char *body)
{
    ws_http_request request;
    struct page *page;

    ws_http_request_init(&request);
    request.method = method;
    request.target = target;
    page = begin(host, loop, &request, headers, body);
    host_turn(host);
    return page;
}

struct page *host_begin_request(struct host *host, int loop, const char *method,
                                const char *target, const char *body)
{
    ws_http_request request;

    ws_http_request_init(&request);
    request.method = method;
    request.target = target;
    return begin(host, loop, &request, NULL, body);
}

struct page *host_request_body_only(struct host *host, const char *target)
{
    ws_http_request request;
    struct page *page;

    ws_http_request_init(&request);
    request.method = "GET";
    request.target = target;
    request.http_major = 2;
    request.http_minor = 0;
    request.body_only = 1;
    page = begin(host, 0, &request, NULL, NULL);
    host_turn(host);
    return page;
}

struct page *host_stream(struct host *host, const char *target, const char *headers)
{
    struct page *page = host_request(host, 0, "GET", target, headers, NULL);

    page_expect(page, "message", "{\"type\":\"welcome\"");
    return page;
}

void page_free(struct page *page)
{
    ws_http *http = page->http;

    page->http = NULL;
    ws_http_free(http);
    for (size_t i = 0; i < page->n_events; i++) {
        free(page->events[i].type);
        free(page->events[i].data);
        free(page->events[i].id);
    }
    free(page->events);
    free(page->received);
    free(page->head);
    free(page->body);
    free(page->last_id);
    free(page->retry);
    *page = (struct page){.host = page->host};
}
