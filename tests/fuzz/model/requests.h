/* requests.h: requests to clients: each ends exactly once, by the client's response or for a reason
 * that is there. Not here: messages and requests of clients (answers.h). */
#ifndef FUZZ_MODEL_REQUESTS_H
#define FUZZ_MODEL_REQUESTS_H

#include "fuzz/model/state.h"

enum { REQUEST_TIMEOUT_MS = 256 /* the longest */ };

void requests_set(ws_manager_options *options);

void requests_ask(struct client *client);

/* A client responds to a request that has reached it, perhaps again. */
void requests_respond(struct client *client);

/* A message has reached a client. */
void requests_got(const struct client *client, const char *text);

/* When nothing is left to do; after the time limit of requests everything is_over. */
void requests_compare(bool is_over);

#endif
