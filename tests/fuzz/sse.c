/* sse.c: requests of any kind, whole or in parts, streams that are read at any pace, messages for
 * them and from them, in any order, while callbacks do anything; the unit tests' client checks what
 * it receives: a text must never become a field of its own. */
#include <string.h>

#include "fuzz/support/input.h"
#include "sse/host.h"

enum { MAX_ACTS = 120, MAX_NESTED = 3 };

static struct host host;
static struct fuzz_input input;
static char session[160]; /* the last one that a welcome has named */
static unsigned nested;
static unsigned n_acts;

static void act(void);

static struct page *some_page(void)
{
    return &host.pages[input_below(&input, HOST_MAX_PAGES)];
}

static bool has_room(void)
{
    for (size_t i = 0; i < HOST_MAX_PAGES; i++)
        if (host.pages[i].http == NULL)
            return true;
    return false;
}

/* --- clients --------------------------------------------------------------------------------- */

static const char *const lines[] = {NULL,
                                    "Accept-Encoding: gzip\n",
                                    "Last-Event-ID: 0123456789.1\n",
                                    "Origin: http://page\n",
                                    "Content-Type: text/plain\n",
                                    "Connection: close\n"};

static void open_stream(void)
{
    static const char *const targets[] = {"/events", "/events?rooms=a,b", "/events?after=x"};

    if (has_room())
        host_request(&host, (int)input_below(&input, HOST_LOOPS), "GET",
                     targets[input_below(&input, 3)], lines[input_below(&input, 3)], NULL);
}

static void read_session(struct page *page)
{
    const struct event *welcome;

    page_read(page);
    welcome = page->n_events > 0 ? &page->events[0] : NULL;
    if (welcome != NULL && strstr(welcome->data, "\"session_id\":\"") != NULL)
        strcpy(session, page_session(welcome));
}

static void post(void)
{
    struct text body = input_string(&input);
    char target[256];

    strcpy(target, "/events?session=");
    strcat(target, session);
    if (has_room())
        host_request(&host, (int)input_below(&input, HOST_LOOPS), "POST", target,
                     "Content-Type: application/json\n", body.bytes);
    text_free(&body);
}

static void post_known(void)
{
    static const char *const bodies[] = {
        "{\"type\":\"ping\",\"ref\":1}", "{\"type\":\"join_room\",\"room\":\"a\"}",
        "{\"type\":\"leave_room\",\"room\":\"a\"}", "{\"type\":\"message\",\"data\":1}"};
    char target[256];

    strcpy(target, "/events?session=");
    strcat(target, session);
    if (has_room())
        host_request(&host, (int)input_below(&input, HOST_LOOPS), "POST", target,
                     "Content-Type: text/plain\n", bodies[input_below(&input, 4)]);
}

/* A request whose texts are the input's, in any state. */
static void request_anything(void)
{
    static const char *const methods[] = {"GET", "POST", "HEAD", "OPTIONS", ""};
    struct text method = input_string(&input);
    struct text target = input_string(&input);
    struct text value = input_string(&input);
    const char *known = methods[input_below(&input, 5)];
    const ws_header headers[] = {{"Host", "h"}, {"Accept-Encoding", value.bytes}};
    ws_http_request request;
    ws_http *http;

    ws_http_request_init(&request);
    request.method = *known != '\0' ? known : method.bytes;
    request.target = target.bytes;
    request.headers = headers;
    request.n_headers = input_below(&input, 3);
    request.http_minor = input_below(&input, 3);
    request.body_only = (int32_t)input_below(&input, 2);
    if (ws_http_new(host.loops[0], host.endpoint, &host, &request, &http) == WS_OK) {
        ws_http_response_head head;

        ws_http_response_head_init(&head);
        ws_http_receive(http, value.bytes, value.length);
        if (input_below(&input, 2) == 1)
            ws_http_end(http);
        ws_http_response(http, &head);
        if (input_below(&input, 2) == 1)
            ws_http_eof(http);
        ws_http_free(http);
    }
    text_free(&method);
    text_free(&target);
    text_free(&value);
}

/* --- the application's ----------------------------------------------------------------------- */

static void send_text(ws_conn_id id)
{
    struct text text = input_bytes(&input);

    if (memchr(text.bytes, '\0', text.length) == NULL)
        ws_manager_send_text(host.manager, id, text.bytes, text.length);
    text_free(&text);
}

static void emit(void)
{
    struct text data = input_bytes(&input);
    ws_event *event;

    if (ws_event_new(host.manager, "notification", data.bytes, data.length, &event) == WS_OK) {
        ws_manager_broadcast(host.manager, event, NULL, 0);
        ws_event_free(event);
    } else {
        host_emit(&host, input_below(&input, 2) == 1 ? "a" : NULL, 7);
    }
    text_free(&data);
}

static void act_on(struct page *page)
{
    ws_conn_id id = ws_http_id(page->http);

    switch (input_below(&input, 7)) {
    case 0:
        send_text(id);
        break;
    case 1:
        ws_http_close(page->http, 4000, "why");
        break;
    case 2:
        ws_http_eof(page->http);
        break;
    case 3:
        page_free(page);
        break;
    case 4:
        ws_manager_disconnect(host.manager, id, 4001, "a\nb");
        break;
    case 5:
        page->writable = input_below(&input, 2) == 1 ? SIZE_MAX : input_byte(&input);
        break;
    default:
        ws_manager_send_binary(host.manager, id, "\0", 1);
        break;
    }
}

static void take_turn(void)
{
    if (nested > 0)
        return;
    host_pass(&host, input_below(&input, 4) == 0 ? 25100 : input_byte(&input));
    for (size_t i = 0; i < host.n_pages; i++) {
        struct page *page = &host.pages[i];

        if (page->http != NULL)
            read_session(page);
        if (page->http != NULL && ws_http_ended(page->http))
            page_free(page);
    }
}

static void act(void)
{
    if (n_acts++ >= MAX_ACTS || input.length == 0)
        return;
    switch (input_below(&input, 8)) {
    case 0:
        if (nested == 0)
            open_stream();
        break;
    case 1:
        if (nested == 0)
            post();
        break;
    case 2:
        if (nested == 0)
            post_known();
        break;
    case 3:
        request_anything();
        break;
    case 4:
        emit();
        break;
    case 5:
        take_turn();
        break;
    default:
        act_on(some_page());
        break;
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

static void on_backpressure(struct host *of, int is_high)
{
    (void)of;
    (void)is_high;
    act_nested();
}

static void on_message(struct host *of)
{
    (void)of;
    act_nested();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct host_options options;

    input = (struct fuzz_input){data, length};
    n_acts = nested = 0;
    strcpy(session, "none");
    host_options_init(&options);
    options.endpoint.max_queue_bytes = 200 + 64 * input_below(&input, 256);
    options.endpoint.deflate_min_bytes = input_byte(&input);
    host_open(&host, &options);
    host.allowed = "http://page";
    host.on_backpressure = on_backpressure;
    host.on_message = on_message;
    while (input.length > 0 && n_acts < MAX_ACTS)
        act();
    take_turn();
    host_close(&host);
    return 0;
}
