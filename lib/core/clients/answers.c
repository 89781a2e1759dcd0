/* answers.c: the application answers what clients sent. */
#include "core/clients/answers.h"

#include <string.h>

#include <ws_manager/requests.h>

#include "base/utf8.h"
#include "core/checks.h"
#include "core/clients/notes.h"
#include "core/clients/replies.h"
#include "core/clients/waiting.h"
#include "core/inbox.h"
#include "core/sending/send.h"

static int post(ws_manager *manager, ws_answer to, bool is_error, const char *data,
                size_t length, bool limited);

int answers_post(ws_manager *manager, ws_answer to, bool is_error, const char *data,
                 size_t length)
{
    return post(manager, to, is_error, data, length, false);
}

bool answers_keep(ws_manager *manager, ws_answer answer, bool is_error, const char *data,
                  size_t length)
{
    bool is_news;
    ws_answer waiter =
        kept_answers_end(&manager->kept_answers, answer, is_error, data, length, &is_news);

    if (is_news)
        client_note_soon(manager, answer.connection);
    return waiter.connection != 0 &&
           answers_post(manager, waiter, is_error, data, length) == WS_OK;
}

static ws_answer answer_of(const struct waiting_answer *answer)
{
    return (ws_answer){answer->connection->id, answer->number};
}

/* Sends an answer and frees its entry; `is_due`: its command is being executed, so its place in the
 * order is now. */
static void reply(struct waiting_answer *answer, bool is_due, bool is_error, const char *data,
                  size_t length)
{
    struct connection *connection = answer->connection;
    const char *type = answer->is_request ? "response" : "ack";

    waiting_take_answer(answer);
    if (is_error)
        counter_add(&connection->loop->counters, COUNTER_client_errors, 1);
    reply_with_data(connection, is_error ? "error" : type,
                    (struct json_slice){answer->ref, answer->ref_length}, data, length, is_due);
    memory_free(&connection->loop->manager->memory, answer);
}

void answers_send(struct waiting_answer *answer, bool is_error, const char *data, size_t length)
{
    answers_keep(answer->connection->loop->manager, answer_of(answer), is_error, data, length);
    reply(answer, false, is_error, data, length);
}

void answers_forget(ws_manager *manager, ws_answer answer)
{
    static const char failed[] =
        "{\"code\":\"failed\",\"message\":\"the message was refused when it was first sent\"}";
    bool is_news;
    ws_answer waiter = kept_answers_forget(&manager->kept_answers, answer, &is_news);

    if (is_news)
        client_note_soon(manager, answer.connection);
    if (waiter.connection != 0)
        answers_post(manager, waiter, true, failed, sizeof failed - 1);
}

static void arrived_in_time(struct waiting_answer *answer, const struct given_answer *given)
{
    answers_keep(answer->connection->loop->manager, answer_of(answer), given->is_error,
                 given->data, given->length);
    reply(answer, true, given->is_error, given->data, given->length);
}

void answers_arrived(struct connection *connection, const struct given_answer *given)
{
    struct waiting_answer *answer = waiting_find_answer(connection, given->number);

    if (answer != NULL)
        arrived_in_time(answer, given);
    else /* The connection has ended, or it was too late for it. */
        answers_keep(connection->loop->manager, (ws_answer){connection->id, given->number},
                     given->is_error, given->data, given->length);
}

void answers_expire(struct waiting_answer *answer)
{
    static const char late[] = "{\"code\":\"timeout\",\"message\":\"the application did not "
                               "answer in time; the message "
                               "may have been carried out\"}";

    reply(answer, false, true, late, sizeof late - 1);
}

static void expired(struct timer *timer)
{
    answers_expire((struct waiting_answer *)(void *)((char *)timer -
                                                     offsetof(struct waiting_answer, timer)));
}

void answers_init(ws_loop *loop)
{
    loop->timers.expired[TIMER_ANSWER] = expired;
}

void answers_defer(struct waiting_answer *answer)
{
    static const char none[] =
        "{\"code\":\"timeout\",\"message\":\"too many messages wait for their answers; "
        "this one may have been carried out\"}";
    ws_loop *loop = answer->connection->loop;

    /* As after a timeout: whether it is carried out is open, and the answer may still be kept. */
    if (!waiting_reserve(answer)) {
        reply(answer, false, true, none, sizeof none - 1);
        return;
    }
    timer_start(&loop->timers, &answer->timer, loop->manager->options.answer_timeout_ms);
}

/* --- from the application -------------------------------------------------------------------- */

/* The connection, if this is the thread of its loop, within a call of the library. */
static struct connection *find_own(ws_manager *manager, ws_conn_id id)
{
    struct connection *connection;

    manager_lock(manager);
    connection = connection_find(manager, id);
    if (connection != NULL && !loop_is_entered(connection->loop))
        connection = NULL;
    manager_unlock(manager);
    return connection;
}

static int post(ws_manager *manager, ws_answer to, bool is_error, const char *data,
                size_t length, bool limited)
{
    struct command command = {.kind = COMMAND_ANSWER};
    int result;

    command.answer = memory_alloc(&manager->memory, sizeof *command.answer + length);
    if (command.answer == NULL)
        return WS_ERR_NO_MEMORY;
    command.answer->number = to.number;
    command.answer->is_error = is_error;
    command.answer->length = length;
    memcpy(command.answer->data, data, length);
    result = send_command(manager, to.connection, NULL, &command, limited);
    if (result != WS_OK)
        memory_free(&manager->memory, command.answer);
    return result;
}

static int give(ws_manager *manager, ws_answer to, bool is_error, const char *data,
                size_t length)
{
    struct connection *connection;
    struct waiting_answer *answer;

    if (to.connection == 0)
        return WS_OK;
    connection = find_own(manager, to.connection);
    if (connection == NULL) {
        int result = post(manager, to, is_error, data, length, true);

        /* The client may come back for it. */
        if (result == WS_ERR_NOT_FOUND && answers_keep(manager, to, is_error, data, length))
            result = WS_OK;
        return result;
    }
    answer = waiting_find_answer(connection, to.number);
    if (answer == NULL) {
        answers_keep(manager, to, is_error, data, length);
        return WS_ERR_NOT_FOUND;
    }
    answers_send(answer, is_error, data, length);
    return WS_OK;
}

int ws_manager_answer(ws_manager *manager, ws_answer answer, const char *json, size_t length)
{
    int result;

    if (manager == NULL || (json == NULL && length > 0))
        return WS_ERR_INVALID;
    result = checks_call(manager, "an answer was given");
    if (result != WS_OK)
        return result;
    if (json == NULL) {
        json = "null";
        length = 4;
    }
    if (length > manager->options.max_event_bytes)
        return WS_ERR_TOO_BIG;
    if (!json_valid(json, length, JSON_MAX_DEPTH))
        return WS_ERR_BAD_JSON;
    return give(manager, answer, false, json, length);
}

int ws_manager_answer_error(ws_manager *manager, ws_answer answer, const char *code,
                            const char *message)
{
    struct buffer data;
    int result;

    if (message == NULL)
        message = "";
    if (manager == NULL || !name_text_valid(code) || !utf8_valid(message, strlen(message)))
        return WS_ERR_INVALID;
    result = checks_call(manager, "an answer was given");
    if (result != WS_OK)
        return result;
    if (strlen(message) > manager->options.max_event_bytes)
        return WS_ERR_TOO_BIG;
    result = WS_ERR_NO_MEMORY;
    buffer_init(&data, &manager->memory);
    answer_error_data(&data, code, message);
    if (!data.failed)
        result = give(manager, answer, true, data.data, data.length);
    buffer_free(&data);
    return result;
}
