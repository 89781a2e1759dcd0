/* ticket.c: a request of polling on its way from its own loop to that of its session, and back. */
#include "transport/polling/ticket.h"

#include "transport/http/error_response.h"

struct ticket *ticket_make(ws_http *http, uint32_t owner, const struct sid_key *key,
                           bool is_post, const struct response *response)
{
    struct ticket *ticket = memory_zalloc(http_memory(http), sizeof *ticket);

    if (ticket == NULL)
        return NULL;
    ticket->manager = http->loop->manager;
    atomic_init(&ticket->refs, 1);
    ticket->origin = http->loop->number;
    ticket->owner = owner;
    ticket->key = *key;
    ticket->endpoint = http->endpoint;
    ticket->is_post = is_post;
    ticket->http = http;
    ticket->response = *response;
    return ticket;
}

void ticket_ref(struct ticket *ticket)
{
    atomic_fetch_add_explicit(&ticket->refs, 1, memory_order_relaxed);
}

void ticket_unref(struct ticket *ticket)
{
    if (atomic_fetch_sub_explicit(&ticket->refs, 1, memory_order_acq_rel) != 1)
        return;
    buffer_free(&ticket->body.bytes);
    if (!ticket->is_answered)
        buffer_free(&ticket->response.fields);
    memory_free(&ticket->manager->memory, ticket);
}

void ticket_written(struct ticket *ticket)
{
    atomic_store_explicit(&ticket->is_over, true, memory_order_relaxed);
}

/* --- answers that are not read --------------------------------------------------------------- */

void ticket_note_unread(struct ticket *ticket, struct ticket **list)
{
    ticket_ref(ticket);
    ticket->older = *list;
    *list = ticket;
}

static void remove_first(struct ticket **list)
{
    struct ticket *first = *list;

    *list = first->older;
    ticket_unref(first);
}

unsigned ticket_count_unread(struct ticket **list)
{
    unsigned count = 0;

    while (*list != NULL) {
        if (atomic_load_explicit(&(*list)->is_over, memory_order_relaxed)) {
            remove_first(list);
        } else {
            list = &(*list)->older;
            count++;
        }
    }
    return count;
}

void ticket_forget_unread(struct ticket **list)
{
    while (*list != NULL)
        remove_first(list);
}

/* --- the answer ------------------------------------------------------------------------------ */

/* Takes the request from the ticket; NULL if it was freed or answered. */
static ws_http *take_http(struct ticket *ticket)
{
    ws_http *http = ticket->http;

    ticket->http = NULL;
    if (http != NULL)
        ticket->is_answered = true;
    return http;
}

void ticket_fail(struct ticket *ticket, int status, const char *reason)
{
    ws_http *http = take_http(ticket);

    if (http != NULL)
        http_fail(http, &ticket->response, status, reason);
}

static const char *explain(int status)
{
    switch (status) {
    case 408:
        return "the body took too long";
    case 503:
        return "the server is busy; try again";
    default:
        return NULL;
    }
}

void ticket_answer(struct ticket *ticket)
{
    ws_http *http;

    if (ticket->status != 200 && ticket->status != 400) {
        ticket_fail(ticket, ticket->status, explain(ticket->status));
        return;
    }
    http = take_http(ticket);
    if (http == NULL)
        return;
    if (ticket->status == 400) {
        counter_add(&http->loop->counters, COUNTER_client_errors, 1);
        polling_answer_error(http, &ticket->response, 400, ticket->error,
                             polling_error_text(ticket->error));
    } else if (ticket->is_post) {
        polling_answer_ok(http, &ticket->response);
    } else {
        ticket->has_packets = true;
        polling_answer_packets(http, &ticket->response, &ticket->body.bytes);
        /* The response has a copy, which may wait for its reader. */
        buffer_free(&ticket->body.bytes);
    }
}

/* --- the way back ---------------------------------------------------------------------------- */

/* Back on the request's own thread. Packets for a request that was freed meanwhile are lost. */
static void arrive_back(ws_loop *loop, struct loop_call *call)
{
    struct ticket *ticket = (struct ticket *)call;

    if (ticket->http != NULL)
        ticket_answer(ticket);
    else if (!ticket->is_post && ticket->status == 200 && !ticket->has_packets)
        ticket->lost(loop, ticket);
    ticket_unref(ticket);
}

void ticket_drop(ws_loop *loop, struct ticket *ticket)
{
    unfinished_count(loop, &ticket->body.unfinished, 0);
    ticket_unref(ticket);
}

void ticket_finish(ws_loop *loop, struct ticket *ticket, int status, enum polling_error error)
{
    unfinished_count(loop, &ticket->body.unfinished, 0);
    ticket->polling = NULL;
    ticket->status = status;
    ticket->error = error;
    if (ticket->origin == loop->number) {
        ticket_answer(ticket);
        ticket_unref(ticket);
        return;
    }
    ticket->call.run = arrive_back;
    atomic_store_explicit(&ticket->is_finished, true, memory_order_release);
    if (loop_call_post(loop, ticket->origin, &ticket->call, false) != WS_OK)
        ticket_unref(ticket);
}
