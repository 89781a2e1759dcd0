/* store_orders.c: the rows of the orders and their lines, and what they do to the stock.
 * The API emits the events of changes. */
#include <string.h>

#include "store_internal.h"

/* A line as it stands in the database. */
struct stored_line {
    char sku[SKU_MAX_BYTES + 1];
    int64_t quantity;
    int64_t unit_price_cents;
};

struct stored_order {
    int64_t client_id;
    int64_t total_cents;
    const char *status; /* one of `statuses` */
    struct stored_line lines[ORDER_MAX_LINES];
    size_t n_lines;
};

static const char *const statuses[] = {"pending", "confirmed", "shipped", "delivered",
                                       "cancelled"};

/* The allowed changes of status. */
static const struct {
    const char *from;
    const char *to;
} transitions[] = {
    {"pending", "confirmed"}, {"confirmed", "shipped"},   {"shipped", "delivered"},
    {"pending", "cancelled"}, {"confirmed", "cancelled"},
};

static const char *find_status(const char *name)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (name != NULL && strcmp(statuses[i], name) == 0)
            return statuses[i];
    return NULL;
}

bool store_is_order_status(const char *status)
{
    return find_status(status) != NULL;
}

/* --- as JSON ------------------------------------------------------------------------- */

static enum store_result line_of_row(struct store *store, sqlite3_stmt *row, cJSON **json)
{
    cJSON *line = cJSON_CreateObject();

    (void)store;
    if (line != NULL && store_add_text(line, "sku", row, 0) &&
        store_add_text(line, "name", row, 1) && store_add_integer(line, "quantity", row, 2) &&
        store_add_integer(line, "unit_price_cents", row, 3)) {
        *json = line;
        return STORE_OK;
    }
    cJSON_Delete(line);
    return STORE_MEMORY;
}

static enum store_result add_lines(struct store *store, int64_t order_id, cJSON *order)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_LINE_LIST);
    cJSON *lines;
    enum store_result result;

    sqlite3_bind_int64(statement, 1, order_id);
    result = store_list_rows(store, statement, 0, line_of_row, &lines, NULL);
    if (result == STORE_OK && !cJSON_AddItemToObject(order, "items", lines)) {
        cJSON_Delete(lines);
        result = STORE_MEMORY;
    }
    return result;
}

static enum store_result order_of_row(struct store *store, sqlite3_stmt *row, cJSON **order)
{
    cJSON *object = cJSON_CreateObject();
    enum store_result result = STORE_MEMORY;

    if (object != NULL && store_add_integer(object, "id", row, 0) &&
        store_add_integer(object, "client_id", row, 1) &&
        store_add_text(object, "client_name", row, 2) &&
        store_add_text(object, "status", row, 3) &&
        store_add_integer(object, "total_cents", row, 4) &&
        store_add_text(object, "created_at", row, 5) &&
        store_add_text(object, "updated_at", row, 6))
        result = add_lines(store, sqlite3_column_int64(row, 0), object);
    if (result != STORE_OK) {
        cJSON_Delete(object);
        return result;
    }
    *order = object;
    return STORE_OK;
}

enum store_result store_order_get(struct store *store, int64_t id, cJSON **order)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_ORDER_GET);
    enum store_result result;

    sqlite3_bind_int64(statement, 1, id);
    result = store_step_to_row(store, statement, STORE_NOT_FOUND);
    if (result != STORE_OK)
        return result;
    result = order_of_row(store, statement, order);
    sqlite3_reset(statement);
    return result;
}

enum store_result store_order_list(struct store *store, int64_t limit, int64_t before,
                                   cJSON **orders, bool *has_more)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_ORDER_LIST);

    sqlite3_bind_int64(statement, 1, before);
    sqlite3_bind_int64(statement, 2, limit + 1); /* one more tells whether there are more */
    return store_list_rows(store, statement, limit, order_of_row, orders, has_more);
}

/* --- changes ------------------------------------------------------------------------- */

static enum store_result load_lines(struct store *store, int64_t id, struct stored_order *order)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_LINE_LIST);
    enum store_result result;
    bool row;

    sqlite3_bind_int64(statement, 1, id);
    order->n_lines = 0;
    while ((result = store_step(store, statement, &row)) == STORE_OK && row &&
           order->n_lines < ORDER_MAX_LINES) {
        struct stored_line *line = &order->lines[order->n_lines++];
        const char *sku = (const char *)sqlite3_column_text(statement, 0);

        strncpy(line->sku, sku != NULL ? sku : "", SKU_MAX_BYTES);
        line->sku[SKU_MAX_BYTES] = '\0';
        line->quantity = sqlite3_column_int64(statement, 2);
        line->unit_price_cents = sqlite3_column_int64(statement, 3);
    }
    sqlite3_reset(statement);
    return result;
}

static enum store_result load_order(struct store *store, int64_t id, struct stored_order *order)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_ORDER_GET);
    enum store_result result;

    sqlite3_bind_int64(statement, 1, id);
    result = store_step_to_row(store, statement, STORE_NOT_FOUND);
    if (result != STORE_OK)
        return result;
    order->client_id = sqlite3_column_int64(statement, 1);
    order->status = find_status((const char *)sqlite3_column_text(statement, 3));
    order->total_cents = sqlite3_column_int64(statement, 4);
    sqlite3_reset(statement);
    if (order->status == NULL)
        return STORE_MEMORY; /* a CHECK allows no other status, so memory was short for the text */
    return load_lines(store, id, order);
}

static enum store_result check_client(struct store *store, int64_t id)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLIENT_GET);
    enum store_result result;

    sqlite3_bind_int64(statement, 1, id);
    result = store_step_to_row(store, statement, STORE_UNKNOWN_CLIENT);
    sqlite3_reset(statement);
    return result;
}

static const struct stored_line *find_line(const struct stored_order *order, const char *sku)
{
    for (size_t i = 0; i < order->n_lines; i++)
        if (strcmp(order->lines[i].sku, sku) == 0)
            return &order->lines[i];
    return NULL;
}

static bool draft_has(const struct order_draft *draft, const char *sku)
{
    for (size_t i = 0; i < draft->n_lines; i++)
        if (strcmp(draft->lines[i].sku, sku) == 0)
            return true;
    return false;
}

/* Takes what a line needs in addition from the stock, and writes the line. A product that was
 * already in the order keeps its price. */
static enum store_result put_line(struct store *store, int64_t id,
                                  const struct order_line *line, const struct stored_line *old,
                                  struct stock_changes *changes, int64_t *total_cents)
{
    sqlite3_stmt *statement;
    int64_t in_stock;
    int64_t threshold;
    int64_t price;
    int64_t more = line->quantity - (old != NULL ? old->quantity : 0);
    enum store_result result =
        store_stock_numbers(store, line->sku, &in_stock, &threshold, &price);

    if (result != STORE_OK)
        return result;
    if (more > in_stock)
        return STORE_INSUFFICIENT_STOCK;
    if (old != NULL)
        price = old->unit_price_cents;
    statement = store_statement(store, STATEMENT_LINE_INSERT);
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_text(statement, 2, line->sku, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, line->quantity);
    sqlite3_bind_int64(statement, 4, price);
    result = store_run(store, statement);
    if (result == STORE_OK && more != 0)
        result = store_stock_move(store, line->sku, -more, changes);
    *total_cents += price * line->quantity;
    return result;
}

/* Replaces an order's lines by the draft's. */
static enum store_result put_lines(struct store *store, int64_t id,
                                   const struct stored_order *old,
                                   const struct order_draft *draft,
                                   struct stock_changes *changes, size_t *bad_line,
                                   int64_t *total_cents)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_LINE_DELETE_ALL);
    enum store_result result;

    sqlite3_bind_int64(statement, 1, id);
    result = store_run(store, statement);
    *total_cents = 0;
    for (size_t i = 0; result == STORE_OK && i < draft->n_lines; i++) {
        const struct order_line *line = &draft->lines[i];

        *bad_line = i;
        result = put_line(store, id, line, find_line(old, line->sku), changes, total_cents);
    }
    for (size_t i = 0; result == STORE_OK && i < old->n_lines; i++)
        if (!draft_has(draft, old->lines[i].sku))
            result =
                store_stock_move(store, old->lines[i].sku, old->lines[i].quantity, changes);
    return result;
}

static enum store_result put_order(struct store *store, int64_t id, int64_t client_id,
                                   int64_t total_cents)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_ORDER_UPDATE);

    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_int64(statement, 2, client_id);
    sqlite3_bind_int64(statement, 3, total_cents);
    return store_run(store, statement);
}

enum store_result store_order_create(struct store *store, const struct order_draft *draft,
                                     int64_t *id, struct stock_changes *changes,
                                     size_t *bad_line)
{
    const struct stored_order nothing = {.n_lines = 0};
    enum store_result result = check_client(store, draft->client_id);
    sqlite3_stmt *statement;
    int64_t total_cents;

    if (result != STORE_OK)
        return result;
    statement = store_statement(store, STATEMENT_ORDER_INSERT);
    sqlite3_bind_int64(statement, 1, draft->client_id);
    result = store_run(store, statement);
    if (result != STORE_OK)
        return result;
    *id = sqlite3_last_insert_rowid(store->db);
    result = put_lines(store, *id, &nothing, draft, changes, bad_line, &total_cents);
    if (result != STORE_OK)
        return result;
    return put_order(store, *id, draft->client_id, total_cents);
}

enum store_result store_order_update(struct store *store, int64_t id,
                                     const struct order_draft *draft,
                                     struct stock_changes *changes, size_t *bad_line)
{
    struct stored_order order;
    enum store_result result = load_order(store, id, &order);

    if (result != STORE_OK)
        return result;
    if (strcmp(order.status, "pending") != 0)
        return STORE_INVALID_STATUS;
    if (draft->client_id != 0) {
        result = check_client(store, draft->client_id);
        if (result != STORE_OK)
            return result;
        order.client_id = draft->client_id;
    }
    if (draft->n_lines > 0) {
        result = put_lines(store, id, &order, draft, changes, bad_line, &order.total_cents);
        if (result != STORE_OK)
            return result;
    }
    return put_order(store, id, order.client_id, order.total_cents);
}

static bool may_become(const char *from, const char *to)
{
    for (size_t i = 0; i < sizeof transitions / sizeof transitions[0]; i++)
        if (strcmp(transitions[i].from, from) == 0 && strcmp(transitions[i].to, to) == 0)
            return true;
    return false;
}

enum store_result store_order_set_status(struct store *store, int64_t id, const char *status,
                                         const char **old_status, struct stock_changes *changes)
{
    struct stored_order order;
    sqlite3_stmt *statement;
    enum store_result result = load_order(store, id, &order);

    if (result != STORE_OK)
        return result;
    *old_status = order.status;
    if (!may_become(order.status, status))
        return STORE_INVALID_TRANSITION;
    statement = store_statement(store, STATEMENT_ORDER_SET_STATUS);
    sqlite3_bind_int64(statement, 1, id);
    sqlite3_bind_text(statement, 2, status, -1, SQLITE_STATIC);
    result = store_run(store, statement);
    if (strcmp(status, "cancelled") == 0)
        for (size_t i = 0; result == STORE_OK && i < order.n_lines; i++)
            result =
                store_stock_move(store, order.lines[i].sku, order.lines[i].quantity, changes);
    return result;
}
