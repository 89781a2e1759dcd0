/* requests.c: the HTTP requests of clients of Engine.IO. */
#include "transport/polling/requests.h"

#include <string.h>

#include "transport/http/error_response.h"
#include "transport/polling/life.h"
#include "transport/polling/polling_new.h"
#include "transport/polling/polls.h"
#include "transport/polling/posts.h"

/* --- at the session -------------------------------------------------------------------------- */

static struct polling *find(ws_loop *loop, const struct sid_key *key)
{
    return (struct polling *)session_table_find(loop, key);
}

static void deliver(ws_loop *loop, struct ticket *ticket)
{
    struct polling *polling = find(loop, &ticket->key);

    if (polling == NULL || polling->endpoint != ticket->endpoint)
        ticket_finish(loop, ticket, 400, POLLING_UNKNOWN_SID);
    else if (ticket->is_post)
        polling_accept_post(polling, ticket);
    else
        polling_accept_poll(polling, ticket);
}

static void arrive(ws_loop *loop, struct loop_call *call)
{
    deliver(loop, (struct ticket *)call);
}

/* The loop was freed with the call in its inbox. The request, if it is still there, is answered
 * when its time is over. */
static void drop_call(struct loop_call *call)
{
    ticket_unref((struct ticket *)call);
}

/* --- requests that were lost ----------------------------------------------------------------- */

/* The client gave a request up: what it took with it, or did not bring, is lost, and so is the
 * session. Or `is_late`: it has waited at its session for too long. */
struct loss {
    struct loop_call call; /* first */
    ws_manager *manager;
    const ws_endpoint *endpoint; /* to compare it; never followed */
    struct sid_key key;
    bool is_late;
};

static void free_loss(struct loop_call *call)
{
    memory_free(&((struct loss *)call)->manager->memory, call);
}

static void lose(ws_loop *loop, const ws_endpoint *endpoint, const struct sid_key *key,
                 bool is_late)
{
    struct polling *polling = find(loop, key);

    if (polling == NULL || polling->endpoint != endpoint)
        return;
    if (is_late)
        polling_give_up(polling);
    else
        polling_lose(polling);
}

static void loss_arrives(ws_loop *loop, struct loop_call *call)
{
    const struct loss *loss = (const struct loss *)call;

    lose(loop, loss->endpoint, &loss->key, loss->is_late);
    free_loss(call);
}

/* Ends the session of a request. There are no more losses than requests that were accepted, so they
 * have no further limit: the client would go on with a gap. */
static int end_session(ws_loop *loop, const struct ticket *ticket, bool is_late)
{
    struct loss *loss;
    int result;

    if (ticket->owner == loop->number) {
        lose(loop, ticket->endpoint, &ticket->key, is_late);
        return WS_OK;
    }
    loss = memory_alloc(&loop->manager->memory, sizeof *loss);
    if (loss == NULL)
        return WS_ERR_NO_MEMORY;
    *loss = (struct loss){
        .call = {loss_arrives, free_loss},
        .manager = loop->manager,
        .endpoint = ticket->endpoint,
        .key = ticket->key,
        .is_late = is_late,
    };
    result = loop_call_post(loop, ticket->owner, &loss->call, false);
    if (result != WS_OK)
        free_loss(&loss->call);
    return result;
}

/* If memory ran out, the session ends when no pong comes. */
static void lost(ws_loop *loop, struct ticket *ticket)
{
    end_session(loop, ticket, false);
}

/* --- the request ----------------------------------------------------------------------------- */

static void add_to_body(ws_http *http, const void *data, size_t length)
{
    struct ticket *ticket = http->used_by;
    struct http_body_problem problem;

    if (ticket->http != NULL && ticket->is_post &&
        !http_body_add(&ticket->body, http, data, length, &problem))
        ticket_fail(ticket, problem.status, problem.reason);
}

/* The body that is arriving gives way to those of others. */
static void give_way(void *owner)
{
    ws_http *http = owner;
    struct ticket *ticket = http->used_by;

    http_enter(http);
    http_body_drop(&ticket->body, http);
    ticket_fail(ticket, 503, UNFINISHED_TOO_MANY);
    http_leave(http);
}

/* How long a request may wait at its session: a poll gets a ping in time. */
static uint32_t wait_ms(const struct ticket *ticket, const ws_endpoint_options *options)
{
    uint64_t most = options->handshake_timeout_ms;

    if (!ticket->is_post)
        most += (uint64_t)options->ping_interval_ms + options->pong_timeout_ms;
    return most < INT32_MAX ? (uint32_t)most : INT32_MAX;
}

static void send(ws_http *http)
{
    struct ticket *ticket = http->used_by;
    int result;

    if (ticket->http == NULL)
        return;
    http_body_complete(&ticket->body, http);
    http_start_timer(http, wait_ms(ticket, &http->endpoint->options));
    ticket_ref(ticket);
    if (ticket->owner == http->loop->number) {
        deliver(http->loop, ticket);
        return;
    }
    ticket->call = (struct loop_call){arrive, drop_call};
    result = loop_call_post(http->loop, ticket->owner, &ticket->call, true);
    if (result == WS_OK)
        return;
    ticket->status = result == WS_ERR_NOT_FOUND ? 400 : 503;
    ticket->error = POLLING_UNKNOWN_SID;
    ticket_answer(ticket);
    ticket_unref(ticket);
}

static void body_expired(ws_http *http)
{
    struct ticket *ticket = http->used_by;

    http_body_drop(&ticket->body, http);
    ticket_fail(ticket, 408, "the body took too long");
}

/* It waits at its session, which ends and answers it: what was answered with an error here could
 * still be carried out there. If memory ran out, that is tried again. Or its answer is on its way,
 * and this loop is late; or the session's loop has ended. */
static void wait_expired(ws_http *http)
{
    struct ticket *ticket = http->used_by;

    http_start_timer(http, wait_ms(ticket, &http->endpoint->options));
    if (ticket_is_finished(ticket))
        ticket_answer(ticket);
    else if (end_session(http->loop, ticket, true) == WS_ERR_NOT_FOUND)
        ticket_fail(ticket, 503, "the server is busy; try again");
}

static void expired(ws_http *http)
{
    counter_add(&http->loop->counters, COUNTER_timeouts, 1);
    if (http->body_ended)
        wait_expired(http);
    else
        body_expired(http);
}

static void fill(ws_http *http)
{
    polling_fill(http->used_by);
}

/* Whether packets of the session were lost with the request: those that a POST was to bring, or
 * those in a response that was not completely written. */
static bool loses_packets(const ws_http *http, const struct ticket *ticket)
{
    if (!ticket->is_answered)
        return true;
    return ticket->has_packets && output_queue_count(&http->queue) > 0;
}

static void gone(ws_http *http, uint16_t code)
{
    struct ticket *ticket = http->used_by;
    bool is_loss = !ticket->was_given_up && loses_packets(http, ticket);

    (void)code;
    if (!http->body_ended)
        http_body_drop(&ticket->body, http);
    ticket->http = NULL;
    ticket->was_given_up = true;
    if (is_loss)
        lost(http->loop, ticket);
}

static void written(ws_http *http)
{
    ticket_written(http->used_by);
}

static void detach(ws_http *http)
{
    ticket_written(http->used_by); /* it never will be */
    ticket_unref(http->used_by);
}

/* Known where the poll waits at its session, on the thread of both. */
static ws_conn_id id_of(const ws_http *http)
{
    const struct ticket *ticket = http->used_by;
    const struct polling *polling =
        ticket->owner == http->loop->number ? ticket->polling : NULL;

    return polling != NULL ? engineio_session_id(polling_session(polling)) : 0;
}

static const struct http_use polling_use = {
    .body = add_to_body,
    .body_ended = send,
    .expired = expired,
    .fill = fill,
    .id = id_of,
    .written = written,
    .gone = gone,
    .detach = detach,
    .ends_at_eof = true,
};

static void use_session(ws_http *http, uint32_t owner, const struct sid_key *key, bool is_post,
                        struct response *response)
{
    struct ticket *ticket = ticket_make(http, owner, key, is_post, response);

    if (ticket == NULL) {
        http_fail(http, response, 503, "out of memory");
        return;
    }
    http_body_init(&ticket->body, http, give_way);
    ticket->lost = lost;
    http->use = &polling_use;
    http->used_by = ticket;
    http_start_timer(http, http->endpoint->options.handshake_timeout_ms);
}

/* --- its head -------------------------------------------------------------------------------- */

struct query {
    const char *version;
    const char *transport;
    const char *sid;
};

/* A parameter of the query; NULL if it is absent or not valid. */
static const char *parameter(struct ws_handshake *handshake, const char *name)
{
    const char *value;
    size_t length;

    return ws_handshake_query_parameter(handshake, name, &value, &length) == WS_OK &&
                   strlen(value) == length
               ? value
               : NULL;
}

static bool is(const char *value, const char *expected)
{
    return value != NULL && strcmp(value, expected) == 0;
}

static void refuse(ws_http *http, struct response *response, int status,
                   enum polling_error error, const char *text, const struct request *request)
{
    counter_add(&http->loop->counters, COUNTER_handshakes_refused, 1);
    refusal_log(http->loop, status, text, request);
    polling_answer_error(http, response, status, error, text);
}

static void refuse_with(ws_http *http, struct response *response, enum polling_error error,
                        const struct ws_handshake *handshake)
{
    refuse(http, response, 400, error, polling_error_text(error), handshake->request);
}

/* A request without a session: only a GET opens one. The application is asked about a client of
 * Socket.IO when that connects a socket. */
static void open_session(ws_http *http, struct ws_handshake *handshake,
                         struct response *response, const struct query *query,
                         struct request **request)
{
    bool is_raw = http->endpoint->options.protocol == WS_PROTOCOL_ENGINEIO;

    if (strcmp(handshake->method, "GET") != 0) {
        refuse_with(http, response, POLLING_BAD_METHOD, handshake);
    } else if (is(query->transport, "websocket")) {
        refuse_with(http, response, POLLING_BAD_REQUEST, handshake);
    } else if (!is(query->version, "4")) {
        refuse_with(http, response, POLLING_UNSUPPORTED_VERSION, handshake);
    } else if (is_raw && !handshake_ask(handshake, http->endpoint)) {
        buffer_free(&response->fields);
        http_abort(http);
    } else if (handshake->status != 101) {
        refuse(http, response, handshake->status, POLLING_FORBIDDEN,
               handshake->refusal != NULL ? handshake->refusal
                                          : polling_error_text(POLLING_FORBIDDEN),
               handshake->request);
    } else {
        polling_open(http, handshake, response, request);
    }
}

/* A request with the id of a session, which is looked up when the request is complete. */
static void begin_use(ws_http *http, const struct ws_handshake *handshake,
                      struct response *response, const struct query *query)
{
    bool is_post = strcmp(handshake->method, "POST") == 0;
    struct sid_key key;
    uint32_t owner;

    if (!sid_read(query->sid, http->loop->manager, &owner, &key)) {
        refuse_with(http, response, POLLING_UNKNOWN_SID, handshake);
    } else if (is(query->transport, "websocket") ||
               (!is_post && strcmp(handshake->method, "GET") != 0)) {
        refuse_with(http, response, POLLING_BAD_REQUEST, handshake);
    } else {
        use_session(http, owner, &key, is_post, response);
    }
}

void polling_request(ws_http *http, struct ws_handshake *handshake, struct response *response,
                     struct request **request)
{
    const struct query query = {
        .version = parameter(handshake, "EIO"),
        .transport = parameter(handshake, "transport"),
        .sid = parameter(handshake, "sid"),
    };

    if (handshake->out_of_memory) {
        buffer_free(&response->fields);
        http_abort(http);
    } else if (!is(query.transport, "polling") && !is(query.transport, "websocket")) {
        refuse_with(http, response, POLLING_UNKNOWN_TRANSPORT, handshake);
    } else if (query.sid != NULL) {
        begin_use(http, handshake, response, &query);
    } else {
        open_session(http, handshake, response, &query, request);
    }
}
