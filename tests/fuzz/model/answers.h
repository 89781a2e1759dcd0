/* answers.h: messages and requests of clients that are to be answered: each is carried out once,
 * also if it is sent again after a reconnect, and answered once on each connection that sends it.
 * Not here: requests to clients (requests.h). */
#ifndef FUZZ_MODEL_ANSWERS_H
#define FUZZ_MODEL_ANSWERS_H

#include "fuzz/model/state.h"

enum { ANSWER_TIMEOUT_MS = 300 };

/* Before and after the manager is made. */
void answers_set(ws_manager_options *options);
void answers_begin(void);

/* A client sends a message, or one of its former connection again. It has been welcomed, so that it
 * knows the id of the connection from which it may come back. */
void answers_say(struct client *client);
void answers_say_again(struct client *client);

/* The application answers a message that it has deferred, or that is answered already. */
void answers_give(void);

/* A message has reached a client. */
void answers_got(const struct client *client, const char *text);

/* When nothing is left to do; after the time limit of answers everything is_over. */
void answers_compare(bool is_over);

#endif
