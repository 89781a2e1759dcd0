/* answers.c: messages and requests of clients that are to be answered. */
#include "fuzz/model/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/model/callbacks.h"
#include "fuzz/model/calls.h"
#include "fuzz/model/text.h"

enum {
    MAX_SAID = 60, /* fewer than are kept of a client */
    FIRST_REF = 100,
    MAX_WAITING = 2,
    KEPT_MS = 300000, /* the default */
    NO_VALUE = -1,
    NULL_VALUE = 0 /* the application has only accepted it */
};

enum said_kind {
    MESSAGE,
    OWN_MESSAGE,
    REQUEST_NOW,
    N_KNOWN,
    UNKNOWN_REQUEST = N_KNOWN,
    N_KINDS
};

/* One message. */
struct said {
    enum said_kind kind;
    unsigned lineage; /* of the client that has sent it */
    unsigned user;
    ws_conn_id connection; /* the last one that has sent it */
    uint64_t sent_ms;      /* on that connection, as are the next two */
    bool is_answered;
    bool is_too_fast;
    bool is_carried_out;
    uint64_t carried_out_ms;
    bool is_deferred;
    bool is_accepted; /* without a value */
    bool is_refused;  /* when it was carried out last */
    int refusals[2];  /* the errors that have refused it, or WS_OK */
    ws_answer answer; /* to be given */
    int first_value;  /* that the application has given */
    uint64_t given_ms;
    int value_of_kept; /* that a client has received */
};

static struct {
    struct said said[MAX_SAID];
    unsigned n_said;
    unsigned owners[256]; /* by value: the message that it was given to */
    int n_values;
} all;

/* --- clients --------------------------------------------------------------------------------- */

static void send(struct client *client, struct said *said)
{
    static const char *const heads[N_KINDS] = {"\"message\"", "\"own\"",
                                               "\"request\",\"method\":\"now\"",
                                               "\"request\",\"method\":\"none\""};
    unsigned ref = FIRST_REF + (unsigned)(said - all.said);
    char text[128];

    snprintf(text, sizeof text, "{\"type\":%s,\"data\":%u,\"ref\":%u}", heads[said->kind], ref,
             ref);
    said->connection = client->id;
    said->sent_ms = state.now_ms;
    said->is_answered = false;
    said->is_too_fast = false; /* it is answered within the call */
    said->is_too_fast = !calls_say(client, text);
}

void answers_say(struct client *client)
{
    struct said *said = &all.said[all.n_said];

    if (!client->open || !client->welcomed || all.n_said == MAX_SAID)
        return;
    all.n_said++;
    *said = (struct said){.kind = calls_below(N_KINDS),
                          .lineage = client->lineage,
                          .user = client->user,
                          .first_value = NO_VALUE,
                          .value_of_kept = NO_VALUE};
    send(client, said);
}

void answers_say_again(struct client *client)
{
    unsigned first = calls_below(MAX_SAID);

    for (unsigned i = 0; client->open && client->welcomed && i < all.n_said; i++) {
        struct said *said = &all.said[(first + i) % all.n_said];

        if (said->lineage == client->lineage && said->connection != client->id) {
            send(client, said);
            return;
        }
    }
}

/* --- the application ------------------------------------------------------------------------- */

/* Gives a value; the errors among them are odd. */
static int give(struct said *said)
{
    int value = ++all.n_values;
    char text[16];

    all.owners[value] = (unsigned)(said - all.said);
    if (said->first_value == NO_VALUE) {
        said->first_value = value;
        said->given_ms = state.now_ms;
    }
    snprintf(text, sizeof text, value % 2 == 1 ? "e%d" : "%d", value);
    return value % 2 == 1
               ? ws_manager_answer_error(calls.manager, said->answer, text, "so it is")
               : ws_manager_answer(calls.manager, said->answer, text, strlen(text));
}

static bool has_value(void)
{
    return all.n_values < (int)(sizeof all.owners / sizeof *all.owners) - 2;
}

/* The first of the answers that are given in a callback is the only one. */
static void give_now(struct said *said, bool is_twice)
{
    bool is_first = said->first_value == NO_VALUE;
    int result = give(said);

    if (is_first)
        ck_assert_int_eq(result, WS_OK);
    if (is_twice)
        ck_assert_int_eq(give(said), WS_ERR_NOT_FOUND);
}

void answers_give(void)
{
    struct said *said = &all.said[all.n_said > 0 ? calls_below(all.n_said) : 0];
    int result;

    if (all.n_said == 0 || said->answer.connection == 0 || !has_value())
        return;
    result = give(said);
    ck_assert(result == WS_OK || result == WS_ERR_NOT_FOUND);
}

/* What was refused is not kept, and nothing is of anonymous clients. */
static void check_first(const struct said *said)
{
    ck_assert(!said->is_carried_out || said->user == 0 || said->is_refused ||
              state.now_ms - said->carried_out_ms >= KEPT_MS);
    ck_assert(said->kind != UNKNOWN_REQUEST);
}

static int decide(struct said *said)
{
    static const int refusals[] = {WS_ERR_FORBIDDEN, WS_ERR_INVALID};
    unsigned refusal;

    switch (calls_below(8)) {
    case 0:
    case 1:
        break;
    case 2:
    case 3:
        if (has_value())
            give_now(said, calls_below(2) == 0);
        break;
    case 4:
        refusal = calls_below(2);
        said->is_refused = true;
        said->refusals[refusal] = refusals[refusal];
        return refusals[refusal];
    default:
        return WS_DEFERRED;
    }
    said->is_accepted |= said->first_value == NO_VALUE;
    return WS_OK;
}

static int take(ws_manager *of, const ws_connection_info *connection,
                const ws_client_message *message, void *user_data)
{
    const struct client *client = connection->user_data;
    int ref = atoi(message->data);
    struct said *said;
    int result;

    (void)of;
    (void)user_data;
    ck_assert_int_eq(message->data[message->length], '\0');
    ck_assert(client->may_speak);
    if (ref < FIRST_REF) { /* it is not to be answered */
        ck_assert_uint_eq(message->answer.connection, 0);
        callbacks_act_within();
        return WS_OK;
    }
    ck_assert_uint_eq(message->answer.connection, connection->id);
    said = &all.said[ref - FIRST_REF];
    check_first(said);
    said->is_carried_out = true;
    said->carried_out_ms = state.now_ms;
    said->is_refused = false;
    said->is_accepted = false;
    said->first_value = said->value_of_kept = NO_VALUE;
    said->answer = message->answer;
    result = decide(said);
    said->is_deferred |= result == WS_DEFERRED;
    callbacks_act_within();
    return result;
}

static int check_own(ws_manager *of, const ws_connection_info *connection,
                     const ws_client_message *message, void *user_data)
{
    (void)of;
    (void)connection;
    (void)user_data;
    ck_assert_str_eq(message->type, "own");
    ck_assert_uint_eq(message->answer.connection, 0);
    return WS_OK;
}

void answers_set(ws_manager_options *options)
{
    memset(&all, 0, sizeof all);
    options->accept_message = take;
    options->answer_timeout_ms = ANSWER_TIMEOUT_MS;
    state.limits.few_answers = calls_below(8) == 7;
    if (state.limits.few_answers) {
        options->max_waiting_answers = MAX_WAITING;
        options->max_waiting = MAX_WAITING;
    }
}

void answers_begin(void)
{
    ws_manager *manager = calls.manager;

    ck_assert_int_eq(ws_manager_register_method(manager, "now", take, NULL), WS_OK);
    ck_assert_int_eq(ws_manager_register_message_type(manager, "own", check_own, NULL), WS_OK);
}

/* --- answers --------------------------------------------------------------------------------- */

/* The client has the same value as on its former connections. If calls are carried out one after
 * the other, it is the one that was given first. */
static void check_value(struct said *said, int value)
{
    if (value == NULL_VALUE) {
        ck_assert(said->is_accepted);
    } else {
        ck_assert(value > 0 && value <= all.n_values);
        ck_assert_uint_eq(all.owners[value], (unsigned)(said - all.said));
    }
    if (state.limits.in_lockstep)
        ck_assert_int_eq(value, said->is_accepted ? NULL_VALUE : said->first_value);
    if (said->user != 0 && said->value_of_kept != NO_VALUE)
        ck_assert_int_eq(value, said->value_of_kept);
    said->value_of_kept = value;
}

/* What the application has answered in time, or for a former connection, does not expire. */
static void check_timeout(const struct said *said)
{
    uint64_t due_ms = said->sent_ms + ANSWER_TIMEOUT_MS;

    if (state.limits.few_answers)
        return;
    ck_assert_uint_ge(state.now_ms, due_ms);
    if (state.limits.in_lockstep)
        ck_assert(!said->is_accepted &&
                  (said->first_value == NO_VALUE || said->given_ms >= due_ms));
}

/* An error of the library. */
static void check_error(const struct said *said, const char *text)
{
    if (text_has(text, "\"code\":\"timeout\""))
        check_timeout(said);
    else if (text_has(text, "\"code\":\"failed\""))
        ck_assert(state.limits.few_answers || said->refusals[0] != WS_OK ||
                  said->refusals[1] != WS_OK);
    else if (text_has(text, "\"code\":\"rate_limited\""))
        ck_assert(said->is_too_fast);
    else if (text_has(text, "\"code\":\"unknown_method\""))
        ck_assert_int_eq(said->kind, UNKNOWN_REQUEST);
    else if (text_has(text, "\"code\":\"forbidden\""))
        ck_assert_int_eq(said->refusals[0], WS_ERR_FORBIDDEN);
    else if (text_has(text, "\"code\":\"bad_request\""))
        ck_assert_int_eq(said->refusals[1], WS_ERR_INVALID);
    else
        ck_abort_msg("an unexpected error: %s", text);
}

static void check_answer(struct said *said, const char *text, bool is_error)
{
    if (!is_error) {
        ck_assert_int_eq(text_begins(text, "{\"type\":\"response\""),
                         said->kind == REQUEST_NOW);
        check_value(said, text_has(text, "\"data\":null") ? NULL_VALUE
                                                          : text_number(text, "\"data\":"));
    } else if (text_has(text, "\"code\":\"e")) {
        check_value(said, text_number(text, "\"code\":\"e"));
    } else {
        check_error(said, text);
    }
}

/* One answer for each connection. */
void answers_got(const struct client *client, const char *text)
{
    bool is_error = text_begins(text, "{\"type\":\"error\"");
    struct said *said;
    int ref;

    if (!is_error && !text_begins(text, "{\"type\":\"ack\"") &&
        !text_begins(text, "{\"type\":\"response\""))
        return;
    ref = text_number(text, "\"ref\":");
    if (ref < FIRST_REF)
        return;
    ck_assert_uint_lt((unsigned)(ref - FIRST_REF), all.n_said);
    said = &all.said[ref - FIRST_REF];
    if (said->connection != client->id)
        return;
    ck_assert(!said->is_answered);
    said->is_answered = true;
    check_answer(said, text, is_error);
}

static const struct client *holder(const struct said *said)
{
    for (size_t i = 0; i < N_CLIENTS; i++)
        if (state.clients[i].open && state.clients[i].id == said->connection)
            return &state.clients[i];
    return NULL;
}

/* What was carried out and not deferred is answered at once. */
void answers_compare(bool is_over)
{
    for (unsigned i = 0; i < all.n_said; i++)
        if (holder(&all.said[i]) != NULL)
            ck_assert(all.said[i].is_answered || (!is_over && all.said[i].is_deferred));
}
