/* http_answer.h: what a request costs, and its answer, put behind those before it.
 * Which answer it is, and when, is decided in connection_http.c. */
#ifndef WS_SERVER_HTTP_ANSWER_H
#define WS_SERVER_HTTP_ANSWER_H

#include "server/connection/state.h"
#include "server/parts/response.h"

/* Charges the connection, and its loop's turn. */
void http_spend(struct connection *connection, size_t cost);

/* What accept_request costs. */
size_t http_cost_of_right(const struct connection *connection);

/* Counts the memory of the request in its loop's sums; call it after anything that may have changed
 * it. */
void http_count_request(struct connection *connection);

/* Takes the request out of these sums. */
void http_forget_request(struct connection *connection);

/* The application's answer, if it comes later, is not sent. */
void http_drop_ticket(struct http_exchange *http);

/* Prepares for the next request. */
void http_end_request(struct connection *connection);

/* Each queues an answer to the current request, and prepares for the next one. */
void http_answer_request(struct connection *connection, struct response *response);
void http_answer_error(struct connection *connection, int status, const char *message);

/* Closes the file that is an answer's body, if there is one. */
void http_close_file(struct connection *connection);

/* Also logs why the request is refused. */
void http_answer_failure(struct connection *connection, int status, const char *message);

#endif
