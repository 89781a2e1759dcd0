/* requests.c: requests to clients. */
#include "fuzz/model/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/callbacks.h"
#include "fuzz/model/calls.h"
#include "fuzz/model/text.h"

enum { REF_SIZE = 24, MAX_WAITING = 2 };

enum reply { NO_REPLY, REPLY_DATA, REPLY_ERROR };

struct asked {
    const struct client *client;
    ws_conn_id connection;
    uint64_t at_ms;
    uint32_t timeout_ms;
    char ref[REF_SIZE]; /* "": it has not reached the client */
    enum reply reply;   /* the client's first */
    bool is_settled;
};

static struct {
    struct asked asked[MAX_REQUESTS];
    unsigned n_asked;
    bool is_few;
} all;

static void on_response(ws_manager *of, ws_conn_id connection, const ws_response *response,
                        void *user_data);

void requests_set(ws_manager_options *options)
{
    memset(&all, 0, sizeof all);
    all.is_few = calls_below(8) == 7;
    if (all.is_few)
        options->max_waiting_requests = MAX_WAITING;
}

void requests_ask(struct client *client)
{
    struct asked *asked = &all.asked[all.n_asked];
    ws_request request;
    char data[32];
    int result;

    if (all.n_asked == MAX_REQUESTS)
        return;
    ws_request_init(&request);
    request.method = "m";
    request.data = data;
    request.length = (size_t)snprintf(data, sizeof data, "{\"n\":%u}", all.n_asked);
    request.timeout_ms = 1 + input_byte(&calls.input);
    request.on_response = on_response;
    request.user_data = asked;
    *asked = (struct asked){.client = client,
                            .connection = client->id,
                            .at_ms = state.now_ms,
                            .timeout_ms = request.timeout_ms};
    result = ws_manager_request(calls.manager, client->id, &request);
    calls_expect(client, result);
    if (result != WS_OK)
        return;
    state_request(client, (int)all.n_asked);
    all.n_asked++;
}

/* --- the client ------------------------------------------------------------------------------ */

static void respond(struct client *client, struct asked *asked, enum reply reply)
{
    char text[128];

    snprintf(text, sizeof text, "{\"type\":\"response\",\"ref\":\"%s\",%s%u%s}", asked->ref,
             reply == REPLY_DATA ? "\"data\":" : "\"error\":{\"code\":\"e",
             (unsigned)(asked - all.asked), reply == REPLY_DATA ? "" : "\"}");
    if (calls_say(client, text) && asked->reply == NO_REPLY)
        asked->reply = reply;
}

void requests_respond(struct client *client)
{
    unsigned first = input_byte(&calls.input);
    enum reply reply = REPLY_DATA + calls_below(2);

    for (unsigned i = 0; client->open && i < all.n_asked; i++) {
        struct asked *asked = &all.asked[(first + i) % all.n_asked];

        if (asked->connection == client->id && asked->ref[0] != '\0') {
            respond(client, asked, reply);
            return;
        }
    }
}

void requests_got(const struct client *client, const char *text)
{
    static const char head[] = "{\"type\":\"request\",\"ref\":\"";
    struct asked *asked;
    size_t length;
    int number;

    if (!text_begins(text, head))
        return;
    number = text_number(text, "{\"n\":");
    ck_assert(number >= 0 && number < (int)all.n_asked);
    asked = &all.asked[number];
    ck_assert_uint_eq(asked->connection, client->id);
    ck_assert(asked->ref[0] == '\0');
    length = strcspn(text + strlen(head), "\"");
    ck_assert_uint_lt(length, REF_SIZE);
    memcpy(asked->ref, text + strlen(head), length);
}

/* --- the application ------------------------------------------------------------------------- */

static void check_reason(struct asked *asked, int32_t result)
{
    bool is_here = asked->client->id == asked->connection && asked->client->open;

    switch (result) {
    case WS_ERR_TIMEOUT:
        ck_assert_uint_ge(state.now_ms - asked->at_ms, asked->timeout_ms);
        break;
    case WS_ERR_CLOSED:
    case WS_ERR_DROPPED:
        ck_assert(!is_here);
        break;
    case WS_ERR_LIMIT:
        ck_assert(all.is_few || state.limits.few_answers);
        break;
    default:
        ck_abort_msg("an unexpected result: %d", (int)result);
    }
}

static void on_response(ws_manager *of, ws_conn_id connection, const ws_response *response,
                        void *user_data)
{
    struct asked *asked = user_data;
    int number = (int)(asked - all.asked);

    (void)of;
    ck_assert_uint_eq(connection, asked->connection);
    ck_assert(!asked->is_settled);
    asked->is_settled = true;
    ck_assert((response->data != NULL) == (response->result == WS_OK));
    if (response->result == WS_OK) {
        ck_assert_int_eq(asked->reply, REPLY_DATA);
        ck_assert_int_eq(atoi(response->data), number);
    } else if (response->result == WS_ERR_FAILED) {
        ck_assert_int_eq(asked->reply, REPLY_ERROR);
        ck_assert_int_eq(atoi(response->error_code + 1), number);
    } else {
        check_reason(asked, response->result);
    }
    for (size_t i = 0; response->result == WS_ERR_CLOSED && i < N_CLIENTS; i++)
        if (state.clients[i].id == connection && !state.clients[i].open)
            state_end(&state.clients[i]);
    callbacks_act_within();
}

/* A response ends its request at once, and so does the end of the connection. */
void requests_compare(bool is_over)
{
    for (unsigned i = 0; i < all.n_asked; i++) {
        const struct asked *asked = &all.asked[i];
        bool is_here = asked->client->id == asked->connection && asked->client->open;

        ck_assert(asked->is_settled || (is_here && asked->reply == NO_REPLY && !is_over));
    }
}
