/* answers.c: answers that other threads give to requests of a loop, until it takes them. */
#include "server/parts/answers.h"

#include <stdlib.h>
#include <unistd.h>

#include <http_parser.h>

#include <ws_manager/server.h>

struct answers *answers_new(int wake)
{
    struct answers *answers = malloc(sizeof *answers);

    if (answers == NULL)
        return NULL;
    *answers = (struct answers){.n_users = 1, .wake = wake};
    pthread_mutex_init(&answers->mutex, NULL);
    return answers;
}

/* With the mutex locked, which it unlocks. */
static void leave(struct answers *answers)
{
    bool is_last = --answers->n_users == 0;

    pthread_mutex_unlock(&answers->mutex);
    if (!is_last)
        return;
    pthread_mutex_destroy(&answers->mutex);
    free(answers);
}

void answers_close(struct answers *answers)
{
    struct ws_server_ticket *ticket;

    if (answers == NULL)
        return;
    pthread_mutex_lock(&answers->mutex);
    answers->wake = -1;
    pthread_mutex_unlock(&answers->mutex);
    ticket = answers_take(answers);
    while (ticket != NULL) {
        struct ws_server_ticket *next = ticket->next;

        answers_end(ticket);
        ticket = next;
    }
    pthread_mutex_lock(&answers->mutex);
    leave(answers);
}

/* Counts one more ticket; false if there are too many. */
static bool enter(struct answers *answers)
{
    bool has_room;

    pthread_mutex_lock(&answers->mutex);
    has_room = answers->n_users <= WS_SERVER_HTTP_MAX; /* the loop is one of them */
    answers->n_users += has_room;
    pthread_mutex_unlock(&answers->mutex);
    return has_room;
}

int answers_begin(struct answers *answers, struct ws_server_ticket **ticket)
{
    struct ws_server_ticket *made = malloc(sizeof *made);

    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    if (!enter(answers)) {
        free(made);
        return WS_ERR_LIMIT;
    }
    *made = (struct ws_server_ticket){.answers = answers};
    response_begin(&made->response);
    *ticket = made;
    return WS_OK;
}

struct ws_server_ticket *answers_take(struct answers *answers)
{
    struct ws_server_ticket *first;

    pthread_mutex_lock(&answers->mutex);
    first = answers->first;
    answers->first = NULL;
    answers->last = NULL;
    pthread_mutex_unlock(&answers->mutex);
    return first;
}

void answers_end(struct ws_server_ticket *ticket)
{
    struct answers *answers = ticket->answers;

    response_free(&ticket->response);
    free(ticket);
    pthread_mutex_lock(&answers->mutex);
    leave(answers);
}

/* Hands a ticket to its loop; false if that has ended. */
static bool hand_over(struct ws_server_ticket *ticket)
{
    struct answers *answers = ticket->answers;
    const uint64_t one = 1;
    bool is_taken;

    pthread_mutex_lock(&answers->mutex);
    is_taken = answers->wake >= 0;
    if (is_taken) {
        if (answers->last != NULL)
            answers->last->next = ticket;
        else
            answers->first = ticket;
        answers->last = ticket;
        /* write() fails only if the counter is full; then the loop wakes up anyway. */
        (void)!write(answers->wake, &one, sizeof one);
    }
    pthread_mutex_unlock(&answers->mutex);
    return is_taken;
}

int ws_server_answer_later(ws_server_ticket *ticket, const ws_server_response *response)
{
    int result = WS_OK;

    if (ticket == NULL)
        return WS_ERR_INVALID;
    if (response != NULL)
        result = response_take(&ticket->response, response);
    else
        response_set_error(&ticket->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                           "the application did not respond; try again");
    if (!hand_over(ticket))
        answers_end(ticket);
    return result;
}
