/* answers.h: the application's answers to what clients sent, on their way to the connection's
 * loop. Not here: what is to be answered (waiting.h), and the library's own answers (replies.h). */
#ifndef WS_CORE_CLIENTS_ANSWERS_H
#define WS_CORE_CLIENTS_ANSWERS_H

#include "core/connections/connection.h"

/* An answer of another thread, for COMMAND_ANSWER. */
struct given_answer {
    uint64_t number;
    bool is_error;
    size_t length;
    char data[]; /* JSON text */
};

/* Executes COMMAND_ANSWER. */
void answers_arrived(struct connection *connection, const struct given_answer *given);

/* The application has deferred an answer, or one is awaited that was sent before: its time
 * begins. */
struct waiting_answer;
void answers_defer(struct waiting_answer *answer);

/* Sends the error that none came in time. It is not kept: the application may still answer, to a
 * client that comes back. */
void answers_expire(struct waiting_answer *answer);

/* Sends and keeps an answer, and frees its entry. */
void answers_send(struct waiting_answer *answer, bool is_error, const char *data,
                  size_t length);

/* Keeps an answer for a client that reconnects, and sends it to the connection that has
 * repeated the message; false if there is none. */
bool answers_keep(ws_manager *manager, ws_answer answer, bool is_error, const char *data,
                  size_t length);

/* Posts an answer to the loop of the connection that waits for it. */
int answers_post(ws_manager *manager, ws_answer to, bool is_error, const char *data,
                 size_t length);

/* Forgets a message that was not carried out. */
void answers_forget(ws_manager *manager, ws_answer answer);

void answers_init(ws_loop *loop);

#endif
