/* api.h: the handlers of the REST API, and what they share.
 * router.c maps paths to them. */
#ifndef BACKEND_API_H
#define BACKEND_API_H

#include "app.h"
#include "http_response.h"
#include "json_fields.h"
#include "outbox.h"
#include <ws_manager/server_http.h>

/* One request to one handler. */
struct api_call {
    struct app *app;
    ws_server_request *request;
    struct http_response *response;
    const char *parameter; /* the path's variable segment, decoded; "" if there is none */
};

/* Rows of a list whose request has no limit. */
enum { API_DEFAULT_ORDERS = 50, API_MOST_CLIENTS = 1000, API_MOST_ITEMS = 1000 };

typedef void api_handler(struct api_call *call);

api_handler api_list_orders;
api_handler api_create_order;
api_handler api_get_order;
api_handler api_update_order;
api_handler api_set_order_status;
api_handler api_list_clients;
api_handler api_create_client;
api_handler api_update_client;
api_handler api_list_inventory;
api_handler api_update_item;
api_handler api_send_notification;
api_handler api_get_presence;
api_handler api_disconnect_user;
api_handler api_get_health;
api_handler api_get_stats;
api_handler api_get_metrics;

/* The text of /ws/stats, freed with free(); NULL when memory is short. Any thread. */
char *api_stats_text(struct app *app, size_t *length);

/* Answers a request for /ws/stats that has waited for it. Any thread. */
void api_answer_stats(struct app *app, ws_server_ticket *ticket);

/* --- shared by the handlers ---------------------------------------------------------- */

/* The body as a JSON object, to be deleted with cJSON_Delete(); NULL after answering 400 or
 * 503. */
cJSON *api_parse_body(struct api_call *call);

/* The path's segment as an id; false after answering 404. */
bool api_parse_id(struct api_call *call, int64_t *id);

/* A number in the query, or its default; false after answering 400. */
bool api_query_number(struct api_call *call, const char *name, int64_t min, int64_t max,
                      int64_t default_value, int64_t *value);

/* Answers 400 with the problem of a field. */
void api_answer_problem(struct api_call *call, const struct field_problem *problem);

/* Answers a result other than STORE_OK with its usual message. */
void api_answer_store_error(struct api_call *call, enum store_result result);

/* {name: list, next_name: the member `key` of its last element}, without the second member if
 * `next_name` is NULL. Takes ownership of the list, even if it returns NULL because memory is
 * short. */
cJSON *api_list_answer(const char *name, cJSON *list, const char *next_name, const char *key);

/* Ends a transaction: commits if `result` is STORE_OK, and emits the events before the next
 * transaction can begin, so that events have the order of the commits. Returns the final result. */
enum store_result api_finish(struct store *store, enum store_result result,
                             struct outbox *outbox);

/* Adds inventory_updated for each changed item, and stock_low where it fell to its threshold.
 */
enum store_result api_add_stock_events(struct store *store, const struct stock_changes *changes,
                                       struct outbox *outbox);

#endif
