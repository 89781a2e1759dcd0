/* api_inventory.c: reading and changing the inventory.
 * What orders do to it is in store_orders.c. */
#include <ws_manager/emit.h>

#include "api.h"
#include "server/parts/text.h"

enum { NAME_MAX_CHARACTERS = 200 };

static bool read_update(const cJSON *body, struct stock_update *update,
                        struct field_problem *problem)
{
    struct field_source source = {body, "", problem};
    bool has_quantity = field_is_given(&source, "quantity");
    bool has_threshold = field_is_given(&source, "low_stock_threshold");
    bool has_price = field_is_given(&source, "price_cents");
    bool has_name = field_is_given(&source, "name");

    *update = (struct stock_update){-1, -1, -1, NULL};
    if (!has_quantity && !has_threshold && !has_price && !has_name) {
        *problem = (struct field_problem){
            "invalid_field", "quantity, low_stock_threshold, price_cents or name is required",
            ""};
        return false;
    }
    return (!has_quantity ||
            field_integer(&source, "quantity", 0, STOCK_MAX_QUANTITY, &update->quantity)) &&
           (!has_threshold ||
            field_integer(&source, "low_stock_threshold", 0, STOCK_MAX_QUANTITY,
                          &update->low_stock_threshold)) &&
           (!has_price ||
            field_integer(&source, "price_cents", 0, PRICE_MAX_CENTS, &update->price_cents)) &&
           (!has_name ||
            field_text(&source, "name", NAME_MAX_CHARACTERS, FIELD_LINE, &update->name));
}

static enum store_result write_item(struct app *app, const char *sku,
                                    const struct stock_update *update, cJSON **item)
{
    struct stock_changes changes = {.count = 0};
    struct store *store = app->store;
    enum store_result result = store_begin(store, STORE_WRITE);

    if (result != STORE_OK)
        return result;
    result = store_stock_update(store, sku, update, &changes);
    if (result == STORE_OK)
        result = store_stock_get(store, sku, item);
    if (result == STORE_OK)
        result = api_add_stock_events(store, &changes, &app->outbox);
    return api_finish(store, result, &app->outbox);
}

void api_update_item(struct api_call *call)
{
    cJSON *body = api_parse_body(call);
    cJSON *item = NULL;
    struct field_problem problem = {0};
    struct stock_update update;
    enum store_result result;

    if (body == NULL)
        return;
    if (!read_update(body, &update, &problem)) {
        api_answer_problem(call, &problem);
        cJSON_Delete(body);
        return;
    }
    result = write_item(call->app, call->parameter, &update, &item);
    if (result == STORE_OK)
        http_response_set_json(call->response, HTTP_STATUS_OK, item);
    else
        api_answer_store_error(call, result);
    cJSON_Delete(item);
    cJSON_Delete(body);
}

/* The SKU after which the list begins; "" for the first one. False after answering 400. */
static bool query_sku(struct api_call *call, char after[SKU_MAX_BYTES + 1])
{
    const char *query = ws_server_request_query(call->request);

    switch (text_next_parameter(&query, "after", after, SKU_MAX_BYTES + 1)) {
    case TEXT_PARAMETER_ABSENT:
        after[0] = '\0';
        return true;
    case TEXT_PARAMETER_FOUND:
        return true;
    case TEXT_PARAMETER_BAD:
        break;
    }
    http_response_set_error(call->response, HTTP_STATUS_BAD_REQUEST, "invalid_field",
                            "must be a SKU", "after");
    return false;
}

void api_list_inventory(struct api_call *call)
{
    struct store *reader;
    char after[SKU_MAX_BYTES + 1];
    enum store_result result;
    cJSON *answer;
    cJSON *items = NULL;
    bool has_more = false;
    int64_t limit;

    if (!api_query_number(call, "limit", 1, API_MOST_ITEMS, API_MOST_ITEMS, &limit) ||
        !query_sku(call, after))
        return;
    result = store_begin_read(call->app->store, &reader);
    if (result == STORE_OK) {
        result = store_stock_list(reader, limit, after, &items, &has_more);
        store_end(reader);
    }
    if (result != STORE_OK) {
        api_answer_store_error(call, result);
        return;
    }
    answer = api_list_answer("inventory", items, has_more ? "next_after" : NULL, "sku");
    http_response_set_json(call->response, HTTP_STATUS_OK, answer);
    cJSON_Delete(answer);
}
