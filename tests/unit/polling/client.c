/* client.c: clients of Engine.IO that poll. */
#include "polling/client.h"

#include <stdio.h>
#include <string.h>

struct host host;
ws_conn_id connected;

static char session[128];

static void echo(ws_manager *manager, const ws_connection_info *connection, const void *data,
                 size_t length, int is_text, void *user_data)
{
    struct host *seen = user_data;

    seen->n_messages++;
    snprintf(seen->message, sizeof seen->message, "%.*s", (int)length, (const char *)data);
    if (seen->on_message != NULL)
        seen->on_message(seen);
    if (is_text)
        ws_manager_send_text(manager, connection->id, data, length);
    else
        ws_manager_send_binary(manager, connection->id, data, length);
}

static void note(ws_manager *manager, const ws_connection_info *connection, void *user_data)
{
    (void)manager;
    ((struct host *)user_data)->n_connects++;
    connected = connection->id;
}

void polling_options_init(struct host_options *options, int32_t protocol)
{
    host_options_init(options);
    options->manager.on_raw = echo;
    options->manager.on_connect = note;
    options->endpoint.protocol = protocol;
    options->endpoint.ping_interval_ms = 10000;
    options->endpoint.pong_timeout_ms = 5000;
    options->endpoint.max_message_bytes = 1000;
}

const struct answer *polling_answer(struct page *page)
{
    static struct answer answer;
    const char *type;

    answer = (struct answer){0};
    if (page->http != NULL && !page->ended)
        return &answer;
    if (page->length > 0) {
        page_read(page);
        type = page_header(page, "Content-Type");
        answer.status = page->status;
        snprintf(answer.type, sizeof answer.type, "%s", type != NULL ? type : "");
        snprintf(answer.body, sizeof answer.body, "%.*s", (int)page->body_length,
                 page->body_length > 0 ? page->body : "");
    }
    page_free(page);
    return &answer;
}

static struct page *request(int loop, const char *method, const char *query, const char *body)
{
    char target[256];

    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s", query);
    return host_request(&host, loop, method, target, NULL, body);
}

const struct answer *polling_exchange(int loop, const char *method, const char *query,
                                      const char *body)
{
    return polling_answer(request(loop, method, query, body));
}

const char *polling_session(void)
{
    const struct answer *answer = polling_exchange(0, "GET", "", NULL);
    char sid[100];

    ck_assert_int_eq(answer->status, 200);
    ck_assert_str_eq(answer->type, "text/plain; charset=UTF-8");
    ck_assert_int_eq(sscanf(answer->body, "0{\"sid\":\"%99[^\"]\"", sid), 1);
    snprintf(session, sizeof session, "&sid=%s", sid);
    return session;
}

struct page *polling_wait(int loop)
{
    return request(loop, "GET", session, NULL);
}

const struct answer *polling_poll(int loop)
{
    return polling_answer(polling_wait(loop));
}

const struct answer *polling_post(int loop, const char *body)
{
    return polling_exchange(loop, "POST", session, body);
}

struct page *polling_begin_post(int loop, const char *body)
{
    char target[256];

    snprintf(target, sizeof target, "/engine.io/?EIO=4&transport=polling%s", session);
    return host_begin_request(&host, loop, "POST", target, body);
}

void expect_packets(const struct answer *answer, const char *packets)
{
    ck_assert_int_eq(answer->status, 200);
    ck_assert_str_eq(answer->body, packets);
    ck_assert_str_eq(answer->type, "text/plain; charset=UTF-8");
}

void expect_error(const struct answer *answer, int status, int code)
{
    static const char *const texts[] = {
        "Transport unknown", "Session ID unknown", "Bad handshake method",
        "Bad request",       "Forbidden",          "Unsupported protocol version"};
    char body[128];

    snprintf(body, sizeof body, "{\"code\":%d,\"message\":\"%s\"}", code, texts[code]);
    ck_assert_int_eq(answer->status, status);
    ck_assert_str_eq(answer->body, body);
    ck_assert_str_eq(answer->type, "application/json");
}
