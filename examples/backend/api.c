/* api.c: what the handlers of the REST API share.
 * The handlers are in api_orders.c, api_clients.c and so on. */
#include "api.h"

#include <inttypes.h>
#include <stdio.h>

#include "json_text.h"
#include "server/parts/text.h"

enum { NUMBER_BYTES = 32 };

cJSON *api_parse_body(struct api_call *call)
{
    const char *problem = NULL;
    size_t length;
    const char *body = ws_server_request_body(call->request, &length);
    cJSON *json = json_text_parse_object(body, length, &problem);

    if (json == NULL && problem == NULL)
        api_answer_store_error(call, STORE_MEMORY);
    else if (json == NULL)
        http_response_set_error(call->response, HTTP_STATUS_BAD_REQUEST, "bad_json", problem,
                                NULL);
    return json;
}

bool api_parse_id(struct api_call *call, int64_t *id)
{
    if (!text_parse_number(call->parameter, 1, INT64_MAX, id)) {
        api_answer_store_error(call, STORE_NOT_FOUND);
        return false;
    }
    return true;
}

bool api_query_number(struct api_call *call, const char *name, int64_t min, int64_t max,
                      int64_t default_value, int64_t *value)
{
    const char *query = ws_server_request_query(call->request);
    char text[NUMBER_BYTES];
    char message[96];

    switch (text_next_parameter(&query, name, text, sizeof text)) {
    case TEXT_PARAMETER_ABSENT:
        *value = default_value;
        return true;
    case TEXT_PARAMETER_FOUND:
        if (text_parse_number(text, min, max, value))
            return true;
        break;
    case TEXT_PARAMETER_BAD:
        break;
    }
    snprintf(message, sizeof message, "must be an integer from %" PRId64 " to %" PRId64, min,
             max);
    http_response_set_error(call->response, HTTP_STATUS_BAD_REQUEST, "invalid_field", message,
                            name);
    return false;
}

void api_answer_problem(struct api_call *call, const struct field_problem *problem)
{
    http_response_set_error(call->response, HTTP_STATUS_BAD_REQUEST, problem->code,
                            problem->message,
                            problem->field[0] != '\0' ? problem->field : NULL);
}

void api_answer_store_error(struct api_call *call, enum store_result result)
{
    switch (result) {
    case STORE_NOT_FOUND:
    case STORE_UNKNOWN_SKU:
        http_response_set_status_error(call->response, HTTP_STATUS_NOT_FOUND,
                                       "nothing exists at this path");
        break;
    case STORE_UNKNOWN_CLIENT:
        http_response_set_error(call->response, HTTP_STATUS_BAD_REQUEST, "unknown_client",
                                "this client does not exist", "client_id");
        break;
    case STORE_INVALID_STATUS:
        http_response_set_error(call->response, HTTP_STATUS_CONFLICT, "invalid_status",
                                "only a pending order can be changed", NULL);
        break;
    case STORE_DUPLICATE_EMAIL:
        http_response_set_error(call->response, HTTP_STATUS_CONFLICT, "duplicate_email",
                                "another client has this e-mail address", "email");
        break;
    case STORE_BUSY:
        http_response_set_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE, "busy",
                                "the database is busy; try again", NULL);
        http_response_add_field(call->response, "Retry-After", "1");
        break;
    case STORE_FULL:
        http_response_set_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE, "full",
                                "the database cannot be written to; try later", NULL);
        http_response_add_field(call->response, "Retry-After", "10");
        break;
    case STORE_MEMORY:
        http_response_set_status_error(call->response, HTTP_STATUS_SERVICE_UNAVAILABLE,
                                       "out of memory");
        break;
    default:
        http_response_set_status_error(call->response, HTTP_STATUS_INTERNAL_SERVER_ERROR,
                                       "the database failed; the server's log has the reason");
    }
}

/* A copy of that member of the last element. */
static cJSON *copy_last(const cJSON *list, const char *key)
{
    const cJSON *last = cJSON_GetArrayItem(list, cJSON_GetArraySize(list) - 1);

    return cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(last, key), false);
}

cJSON *api_list_answer(const char *name, cJSON *list, const char *next_name, const char *key)
{
    cJSON *answer = cJSON_CreateObject();
    cJSON *next = next_name != NULL ? copy_last(list, key) : NULL;

    if (!cJSON_AddItemToObject(answer, name, list)) {
        cJSON_Delete(list);
    } else if (next_name == NULL || cJSON_AddItemToObject(answer, next_name, next)) {
        return answer;
    }
    cJSON_Delete(next);
    cJSON_Delete(answer);
    return NULL;
}

enum store_result api_finish(struct store *store, enum store_result result,
                             struct outbox *outbox)
{
    if (result == STORE_OK)
        result = store_commit(store);
    if (result == STORE_OK)
        (void)outbox_send(outbox); /* committed; the event follows when it can be read */
    store_end(store);
    return result;
}

enum store_result api_add_stock_events(struct store *store, const struct stock_changes *changes,
                                       struct outbox *outbox)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct stock_change *change = &changes->list[i];
        cJSON *item = NULL;
        enum store_result result = store_stock_get(store, change->sku, &item);

        if (result != STORE_OK)
            return result;
        result = outbox_add(outbox, "inventory_updated", NULL, item);
        if (result == STORE_OK && change->fell &&
            cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(item, "quantity")) <=
                cJSON_GetNumberValue(
                    cJSON_GetObjectItemCaseSensitive(item, "low_stock_threshold")))
            result = outbox_add(outbox, "stock_low", NULL, item);
        cJSON_Delete(item);
        if (result != STORE_OK)
            return result;
    }
    return STORE_OK;
}
