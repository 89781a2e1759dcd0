/* api_orders.c: placing, changing and reading orders.
 * How orders and stock are kept is in store_orders.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api.h"

enum {
    LONGEST_LIST = 500,
    COST_LINE =
        1536 /* of an order that is written, or a change of stock: ws_server_response::cost */
};

/* The order that a request asks for. */
struct order_request {
    struct order_draft draft;
    size_t positions[ORDER_MAX_LINES]; /* where in "items" each line's SKU comes first */
};

/* --- requests ------------------------------------------------------------------------ */

/* Adds an item. Items of the same SKU become one line. */
static bool add_item(const struct field_source *source, size_t position,
                     struct order_request *wanted)
{
    struct order_draft *draft = &wanted->draft;
    const char *sku;
    int64_t quantity;

    if (!field_text(source, "sku", SKU_MAX_CHARACTERS, FIELD_LINE, &sku) ||
        !field_integer(source, "quantity", 1, ORDER_MAX_QUANTITY, &quantity))
        return false;
    for (size_t i = 0; i < draft->n_lines; i++) {
        if (strcmp(draft->lines[i].sku, sku) == 0) {
            draft->lines[i].quantity += quantity;
            return draft->lines[i].quantity <= ORDER_MAX_QUANTITY ||
                   field_fail(source, "quantity", "must be at most %d of one product",
                              ORDER_MAX_QUANTITY);
        }
    }
    wanted->positions[draft->n_lines] = position;
    draft->lines[draft->n_lines++] = (struct order_line){.sku = sku, .quantity = quantity};
    return true;
}

static bool read_items(const struct field_source *source, struct order_request *wanted)
{
    const cJSON *items;
    const cJSON *item;
    size_t position = 0;

    if (!field_array(source, "items", 1, ORDER_MAX_LINES, &items))
        return false;
    cJSON_ArrayForEach(item, items)
    {
        char prefix[32];
        struct field_source fields = {item, prefix, source->problem};

        if (!cJSON_IsObject(item)) {
            snprintf(prefix, sizeof prefix, "items[%zu]", position);
            return field_fail(&fields, "", "must be an object");
        }
        snprintf(prefix, sizeof prefix, "items[%zu].", position);
        if (!add_item(&fields, position, wanted))
            return false;
        position++;
    }
    return true;
}

/* Reads client and items into an empty `wanted`. A new order needs both. */
static bool read_order(const cJSON *body, bool is_new, struct order_request *wanted,
                       struct field_problem *problem)
{
    struct field_source source = {body, "", problem};
    bool has_client = is_new || field_is_given(&source, "client_id");
    bool has_items = is_new || field_is_given(&source, "items");

    if (!has_client && !has_items) {
        *problem =
            (struct field_problem){"invalid_field", "client_id or items is required", ""};
        return false;
    }
    if (has_client &&
        !field_integer(&source, "client_id", 1, INT32_MAX, &wanted->draft.client_id))
        return false;
    return !has_items || read_items(&source, wanted);
}

/* --- answers ------------------------------------------------------------------------- */

static void answer_order_error(struct api_call *call, enum store_result result,
                               const struct order_request *wanted, size_t bad_line)
{
    char field[64];
    char message[SKU_MAX_BYTES + 64];

    if (result == STORE_UNKNOWN_SKU) {
        snprintf(field, sizeof field, "items[%zu].sku", wanted->positions[bad_line]);
        http_response_set_error(call->response, HTTP_STATUS_BAD_REQUEST, "unknown_sku",
                                "this product does not exist", field);
    } else if (result == STORE_INSUFFICIENT_STOCK) {
        snprintf(field, sizeof field, "items[%zu].quantity", wanted->positions[bad_line]);
        snprintf(message, sizeof message, "not enough of %s in stock",
                 wanted->draft.lines[bad_line].sku);
        http_response_set_error(call->response, HTTP_STATUS_CONFLICT, "insufficient_stock",
                                message, field);
    } else {
        api_answer_store_error(call, result);
    }
}

/* Adds the event of a changed order, then those of the stock that it moved. *order becomes the
 * event's data. */
static enum store_result add_order_events(struct store *store, int64_t id, const char *type,
                                          const struct stock_changes *changes,
                                          struct outbox *outbox, cJSON **order)
{
    enum store_result result = store_order_get(store, id, order);

    if (result != STORE_OK)
        return result;
    result = outbox_add(outbox, type, NULL, *order);
    return result == STORE_OK ? api_add_stock_events(store, changes, outbox) : result;
}

/* --- handlers ------------------------------------------------------------------------ */

/* Creates an order if *id is 0, else updates it. *id is its id afterwards. */
static enum store_result write_order(struct api_call *call, const struct order_draft *draft,
                                     int64_t *id, size_t *bad_line, cJSON **order)
{
    struct app *app = call->app;
    bool is_new = *id == 0;
    struct stock_changes changes = {.count = 0};
    struct store *store = app->store;
    enum store_result result = store_begin(store, STORE_WRITE);

    if (result != STORE_OK)
        return result;
    result = is_new ? store_order_create(store, draft, id, &changes, bad_line)
                    : store_order_update(store, *id, draft, &changes, bad_line);
    if (result == STORE_OK)
        result = add_order_events(store, *id, is_new ? "order_created" : "order_updated",
                                  &changes, &app->outbox, order);
    call->response->cost = COST_LINE * (draft->n_lines + changes.count);
    return api_finish(store, result, &app->outbox);
}

static void put_order(struct api_call *call, int64_t id)
{
    bool is_new = id == 0;
    cJSON *body = api_parse_body(call);
    cJSON *order = NULL;
    struct field_problem problem = {0};
    struct order_request wanted = {.draft.n_lines = 0};
    enum store_result result;
    size_t bad_line = 0;

    if (body == NULL)
        return;
    if (!read_order(body, is_new, &wanted, &problem)) {
        api_answer_problem(call, &problem);
        cJSON_Delete(body);
        return;
    }
    result = write_order(call, &wanted.draft, &id, &bad_line, &order);
    if (result == STORE_OK)
        http_response_set_json(call->response, is_new ? HTTP_STATUS_CREATED : HTTP_STATUS_OK,
                               order);
    else
        answer_order_error(call, result, &wanted, bad_line);
    if (result == STORE_OK && is_new) {
        char location[48];

        snprintf(location, sizeof location, "/api/orders/%" PRId64, id);
        http_response_add_field(call->response, "Location", location);
    }
    cJSON_Delete(order);
    cJSON_Delete(body);
}

void api_create_order(struct api_call *call)
{
    put_order(call, 0);
}

void api_update_order(struct api_call *call)
{
    int64_t id;

    if (api_parse_id(call, &id))
        put_order(call, id);
}

/* *order is the data of both the event and the answer; it includes the old status. */
static enum store_result change_status(struct api_call *call, int64_t id, const char *status,
                                       const char **old_status, cJSON **order)
{
    struct app *app = call->app;
    struct stock_changes changes = {.count = 0};
    struct store *store = app->store;
    enum store_result result = store_begin(store, STORE_WRITE);

    if (result != STORE_OK)
        return result;
    result = store_order_set_status(store, id, status, old_status, &changes);
    if (result == STORE_OK)
        result = store_order_get(store, id, order);
    if (result == STORE_OK &&
        (cJSON_AddStringToObject(*order, "old_status", *old_status) == NULL ||
         cJSON_AddStringToObject(*order, "new_status", status) == NULL))
        result = STORE_MEMORY;
    if (result == STORE_OK)
        result = outbox_add(&app->outbox, "order_status_changed", NULL, *order);
    if (result == STORE_OK)
        result = api_add_stock_events(store, &changes, &app->outbox);
    call->response->cost = COST_LINE * changes.count;
    return api_finish(store, result, &app->outbox);
}

void api_set_order_status(struct api_call *call)
{
    struct field_problem problem = {0};
    struct field_source source = {NULL, "", &problem};
    const char *status;
    const char *old_status = NULL;
    char message[96];
    enum store_result result;
    cJSON *order = NULL;
    cJSON *body;
    int64_t id;

    if (!api_parse_id(call, &id))
        return;
    body = api_parse_body(call);
    if (body == NULL)
        return;
    source.object = body;
    if (!field_text(&source, "status", 16, FIELD_LINE, &status) ||
        (!store_is_order_status(status) &&
         !field_fail(&source, "status",
                     "must be pending, confirmed, shipped, delivered or cancelled"))) {
        api_answer_problem(call, &problem);
        cJSON_Delete(body);
        return;
    }
    result = change_status(call, id, status, &old_status, &order);
    if (result == STORE_OK) {
        http_response_set_json(call->response, HTTP_STATUS_OK, order);
    } else if (result == STORE_INVALID_TRANSITION) {
        snprintf(message, sizeof message, "an order cannot change from %s to %s", old_status,
                 status);
        http_response_set_error(call->response, HTTP_STATUS_CONFLICT, "invalid_transition",
                                message, "status");
    } else {
        api_answer_store_error(call, result);
    }
    cJSON_Delete(order);
    cJSON_Delete(body);
}

void api_get_order(struct api_call *call)
{
    struct store *reader;
    enum store_result result;
    cJSON *order = NULL;
    int64_t id;

    if (!api_parse_id(call, &id))
        return;
    result = store_begin_read(call->app->store, &reader);
    if (result == STORE_OK) {
        result = store_order_get(reader, id, &order);
        store_end(reader);
    }
    if (result == STORE_OK)
        http_response_set_json(call->response, HTTP_STATUS_OK, order);
    else
        api_answer_store_error(call, result);
    cJSON_Delete(order);
}

void api_list_orders(struct api_call *call)
{
    struct store *reader;
    enum store_result result;
    cJSON *answer;
    cJSON *orders = NULL;
    bool has_more = false;
    int64_t limit;
    int64_t before;

    if (!api_query_number(call, "limit", 1, LONGEST_LIST, API_DEFAULT_ORDERS, &limit) ||
        !api_query_number(call, "before", 1, INT64_MAX, INT64_MAX, &before))
        return;
    result = store_begin_read(call->app->store, &reader);
    if (result == STORE_OK) {
        result = store_order_list(reader, limit, before, &orders, &has_more);
        store_end(reader);
    }
    if (result != STORE_OK) {
        api_answer_store_error(call, result);
        return;
    }
    answer = api_list_answer("orders", orders, has_more ? "next_before" : NULL, "id");
    http_response_set_json(call->response, HTTP_STATUS_OK, answer);
    cJSON_Delete(answer);
}
