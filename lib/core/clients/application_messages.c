/* application_messages.c: gives the application what clients send it. */
#include "core/clients/application_messages.h"

#include <string.h>

#include <ws_manager/requests.h>

#include "base/utf8.h"
#include "core/clients/answers.h"
#include "core/clients/former.h"
#include "core/clients/notes.h"
#include "core/clients/replies.h"
#include "core/clients/waiting.h"
#include "core/connections/doom.h"
#include "core/costs.h"

/* --- the application's callbacks ------------------------------------------------------------- */

static int call(struct connection *connection, ws_client_message_callback *callback,
                const ws_client_message *said, void *user_data)
{
    struct connection_view view;

    return callback(connection->loop->manager, connection_view(connection, &view), said,
                    user_data);
}

/* The check of a type of the application's own, which may neither answer nor defer. */
static int check(struct connection *connection, const ws_client_message *said)
{
    const struct handler *type =
        handlers_find(&connection->loop->manager->message_types, said->type);
    ws_client_message copy = *said;
    int result;

    if (type == NULL || type->callback == NULL)
        return WS_OK;
    copy.answer = (ws_answer){0};
    result = call(connection, type->callback, &copy, type->user_data);
    return result == WS_DEFERRED ? WS_ERR_INVALID : result;
}

static int take_message(struct connection *connection, const ws_client_message *said)
{
    const ws_manager_options *options = &connection->loop->manager->options;
    int result;

    if (options->accept_message == NULL)
        return WS_ERR_FORBIDDEN;
    result = check(connection, said);
    if (result != WS_OK)
        return result;
    if (connection->state != CONNECTION_LIVE) /* the check has ended it */
        return WS_ERR_CLOSED;
    return call(connection, options->accept_message, said, options->user_data);
}

static int take(struct connection *connection, const struct client_message *message,
                ws_client_message *said)
{
    const struct handler *method;

    switch (message->type) {
    case CLIENT_REQUEST:
        method = handlers_find(&connection->loop->manager->methods, message->name);
        said->type = "request";
        said->method = message->name;
        return method != NULL ? call(connection, method->callback, said, method->user_data)
                              : WS_ERR_UNKNOWN_TYPE;
    case CLIENT_OWN:
        said->type = message->name;
        break;
    default:
        said->type = "message";
        break;
    }
    return take_message(connection, said);
}

/* Whether the application has answered such a message later, once at least. */
static _Atomic bool *defers(const struct connection *connection,
                            const struct client_message *message)
{
    ws_manager *manager = connection->loop->manager;
    struct handler *handler = NULL;

    if (message->type == CLIENT_REQUEST)
        handler = handlers_find(&manager->methods, message->name);
    else if (message->type == CLIENT_OWN)
        handler = handlers_find(&manager->message_types, message->name);
    return handler != NULL ? &handler->defers : &manager->messages_defer;
}

/* --- the answer ------------------------------------------------------------------------------ */

/* Whether the application has a method; another one is refused before anything waits. */
static bool has_method(const struct connection *connection,
                       const struct client_message *message)
{
    return message->type != CLIENT_REQUEST ||
           handlers_have(&connection->loop->manager->methods, message->name);
}

static void refuse_to_wait(struct connection *connection, struct json_slice ref, int result)
{
    static const struct answer_problem too_many = {
        ANSWER_FAILED, "too many messages wait for their answers; send it again later"};

    if (result == WS_ERR_LIMIT)
        reply_with_problem(connection, ref, too_many);
    else
        reply_with_result(connection, ref, result);
}

/* Answers with an error that a callback has returned. */
static void reply_with_error(struct connection *connection, bool is_request,
                             struct json_slice ref, int result)
{
    static const struct answer_problem failed = {
        ANSWER_FAILED, "the application could not carry out the request"};
    static const struct answer_problem rejected = {
        ANSWER_BAD_REQUEST, "the application rejected the request as invalid"};

    if (!is_request || result == WS_ERR_FORBIDDEN || result == WS_ERR_NOT_MEMBER ||
        result == WS_ERR_NO_MEMORY)
        reply_with_result(connection, ref, result);
    else if (result == WS_ERR_INVALID || result == WS_ERR_BAD_JSON)
        reply_with_problem(connection, ref, rejected);
    else
        reply_with_problem(connection, ref, failed);
}

/* The callback has ended the connection, whose client may come back for the answer. */
static void conclude_gone(const struct connection *connection, uint64_t number, int result)
{
    ws_manager *manager = connection->loop->manager;
    ws_answer answer = {connection->id, number};

    if (result == WS_OK)
        answers_keep(manager, answer, false, "null", 4);
    else if (result != WS_DEFERRED)
        answers_forget(manager, answer);
}

/* The callback has returned: answers, unless the application has done so, or will. */
static void conclude(struct connection *connection, const struct client_message *message,
                     uint64_t number, int result)
{
    struct waiting_answer *answer = waiting_find_answer(connection, number);
    bool is_request = message->type == CLIENT_REQUEST;

    if (answer == NULL) {
        if (connection->state == CONNECTION_GONE)
            conclude_gone(connection, number, result);
        return;
    }
    if (result == WS_DEFERRED) {
        if (!atomic_exchange_explicit(defers(connection, message), true, memory_order_relaxed))
            client_note(connection->loop->manager, connection->id);
        answers_defer(answer);
        return;
    }
    if (result == WS_OK) {
        answers_send(answer, false, "null", 4);
        return;
    }
    waiting_take_answer(answer);
    memory_free(&connection->loop->manager->memory, answer);
    answers_forget(connection->loop->manager, (ws_answer){connection->id, number});
    reply_with_error(connection, is_request, message->ref, result);
}

/* --- what was sent again --------------------------------------------------------------------- */

static struct json_slice slice_of(const char *text)
{
    return (struct json_slice){text != NULL ? text : "", text != NULL ? strlen(text) : 0};
}

static struct kept_digest digest_of(const struct client_message *message)
{
    const struct json_slice parts[] = {
        slice_of(message->type == CLIENT_REQUEST ? "request" : "message"),
        slice_of(message->name),
        slice_of(message->room),
        message->ref,
        {message->data, message->data_length},
    };

    return kept_digest_of(parts, sizeof parts / sizeof *parts);
}

/* Another process is to answer. */
static void await_elsewhere(struct waiting_answer *waiting)
{
    if (former_await(waiting->connection))
        answers_defer(waiting);
    else
        answers_expire(waiting);
}

/* The client has not sent it before, from a former connection: it is to be carried out. If it has,
 * it gets the same answer. */
static bool is_new(struct connection *connection, const struct client_message *message,
                   ws_answer answer)
{
    ws_loop *loop = connection->loop;
    ws_manager *manager = loop->manager;
    struct waiting_answer *waiting = waiting_find_answer(connection, answer.number);
    const struct share *user = connection->user;
    struct kept_digest digest = digest_of(message);
    struct kept_text text = {0};
    enum kept_state state = kept_answers_begin(&manager->kept_answers, answer,
                                               user != NULL ? user->group->name : NULL, &digest,
                                               loop->timers.now_ms, &text);

    loop_charge(loop, text.n_kept / KEPT_ANSWERS_PER_UNIT);
    switch (state) {
    case KEPT_NEW:
        return true;
    case KEPT_PENDING:
        answers_defer(waiting);
        break;
    case KEPT_ELSEWHERE:
        await_elsewhere(waiting);
        break;
    case KEPT_ANSWERED:
        answers_send(waiting, text.is_error, text.data, text.length);
        memory_free(&manager->memory, text.data);
        break;
    case KEPT_NO_MEMORY:
        connection_out_of_memory(connection);
        break;
    }
    return false;
}

/* A message whose answer will probably come later is not carried out without a place for it.
  * Others need none: while all places are taken, they are answered. Other processes learn of it
  * before it is carried out: the client may come back to one of them before the answer. */
static bool may_begin(struct connection *connection, const struct client_message *message,
                      ws_answer answer)
{
    if (!atomic_load_explicit(defers(connection, message), memory_order_relaxed))
        return true;
    if (!waiting_reserve(waiting_find_answer(connection, answer.number)))
        return false;
    client_note(connection->loop->manager, connection->id);
    return true;
}

static void give_up(struct connection *connection, const struct client_message *message,
                    ws_answer answer)
{
    struct waiting_answer *waiting = waiting_find_answer(connection, answer.number);

    waiting_take_answer(waiting);
    memory_free(&connection->loop->manager->memory, waiting);
    answers_forget(connection->loop->manager, answer);
    refuse_to_wait(connection, message->ref, WS_ERR_LIMIT);
}

void client_take(struct connection *connection, const struct client_message *message)
{
    static const struct answer_problem unknown = {ANSWER_UNKNOWN_METHOD,
                                                  "the method is not registered"};
    bool is_answered = message->type == CLIENT_REQUEST || message->ref.text != NULL;
    ws_client_message said = {
        .size = sizeof said,
        .room = message->room,
        .data = message->data,
        .length = message->data_length,
    };
    int result = WS_OK;

    if (!has_method(connection, message)) {
        reply_with_problem(connection, message->ref, unknown);
        return;
    }
    if (message->ref.text != NULL &&
        former_hold(connection, message, client_take) != FORMER_KNOWN)
        return;
    if (is_answered)
        result = waiting_add_answer(connection, message->ref, message->type == CLIENT_REQUEST,
                                    &said.answer.number);
    if (result != WS_OK) {
        refuse_to_wait(connection, message->ref, result);
        return;
    }
    if (is_answered)
        said.answer.connection = connection->id;
    if (message->ref.text != NULL && !is_new(connection, message, said.answer))
        return;
    if (is_answered && !may_begin(connection, message, said.answer)) {
        give_up(connection, message, said.answer);
        return;
    }
    result = take(connection, message, &said);
    if (is_answered)
        conclude(connection, message, said.answer.number, result);
    else
        reply_with_result(connection, message->ref, result == WS_DEFERRED ? WS_OK : result);
}

/* --- responses ------------------------------------------------------------------------------- */

/* Requests that a search passes at the cost of a delivery. */
enum { PASSED_PER_UNIT = 64 };

/* The id in a ref, a string of digits; 0 if it is another one, which no request has. */
static int64_t id_of(struct json_slice ref)
{
    uint64_t id = 0;

    if (ref.length < 3 || ref.length > 20 || ref.text[0] != '"')
        return 0;
    for (size_t i = 1; i < ref.length - 1; i++) {
        if (ref.text[i] < '0' || ref.text[i] > '9')
            return 0;
        id = id * 10 + (uint64_t)(ref.text[i] - '0');
    }
    return (int64_t)id;
}

/* Decodes a member of an error; *text is NULL if it is no string. False if memory ran out. */
static bool read_text(const ws_allocator *memory, struct json_slice value, char **text)
{
    *text = NULL;
    return value.text == NULL || json_string(memory, value, text);
}

/* The client answered with an error. */
static void settle_failed(ws_manager *manager, struct waiting_ack *ack, struct json_slice error)
{
    static const char *const names[] = {"code", "message"};
    struct json_slice values[2] = {{NULL, 0}, {NULL, 0}};
    ws_response response = {.result = WS_ERR_FAILED};
    char *code = NULL;
    char *text = NULL;

    json_members(error.text, error.length, names, values, 2);
    if (!read_text(&manager->memory, values[0], &code) ||
        !read_text(&manager->memory, values[1], &text)) {
        response.result = WS_ERR_NO_MEMORY;
    } else {
        response.error_code = code != NULL ? code : "";
        response.error_message = text != NULL ? text : "";
    }
    waiting_response_settle(manager, ack, response);
    memory_free(&manager->memory, code);
    memory_free(&manager->memory, text);
}

uint32_t client_respond(struct connection *connection, const struct client_message *message)
{
    ws_manager *manager = connection->loop->manager;
    uint32_t passed = 0;
    struct waiting_ack *ack = waiting_take_ack(connection, id_of(message->ref), &passed);
    ws_response response = {
        .result = WS_OK, .data = message->data, .length = message->data_length};

    /* An unexpected response is late, or an attempt: the client gets no error for it. */
    if (ack == NULL)
        return passed / PASSED_PER_UNIT;
    if (message->error.text != NULL && message->error.text[0] != 'n')
        settle_failed(manager, ack, message->error);
    else
        waiting_response_settle(manager, ack, response);
    return passed / PASSED_PER_UNIT;
}

/* --- registration ---------------------------------------------------------------------------- */

static int register_handler(ws_manager *manager, struct handlers *handlers, const char *name,
                            ws_client_message_callback *callback, void *user_data)
{
    int result;

    manager_lock(manager);
    result = handlers_add(handlers, &manager->memory, name, callback, user_data);
    manager_unlock(manager);
    return result;
}

int ws_manager_register_method(ws_manager *manager, const char *method,
                               ws_client_message_callback *handler, void *user_data)
{
    if (manager == NULL || handler == NULL || !name_text_valid(method))
        return WS_ERR_INVALID;
    return register_handler(manager, &manager->methods, method, handler, user_data);
}

int ws_manager_register_message_type(ws_manager *manager, const char *type,
                                     ws_client_message_callback *to_check, void *user_data)
{
    if (manager == NULL || !name_text_valid(type))
        return WS_ERR_INVALID;
    if (client_type_is_reserved(type))
        return WS_ERR_ALREADY;
    return register_handler(manager, &manager->message_types, type, to_check, user_data);
}

uint32_t client_take_raw(struct connection *connection, const char *data, size_t length,
                         bool is_text)
{
    ws_manager *manager = connection->loop->manager;
    const ws_manager_options *options = &manager->options;
    struct connection_view view;

    if (options->on_raw == NULL)
        return 0;
    options->on_raw(manager, connection_view(connection, &view), data, length, is_text,
                    options->user_data);
    return INPUT_COST_CALLBACK;
}
