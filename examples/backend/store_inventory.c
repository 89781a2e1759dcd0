/* store_inventory.c: the rows of the inventory.
 * What may be ordered is in store_orders.c. */
#include <string.h>

#include "store_internal.h"

static enum store_result item_of_row(struct store *store, sqlite3_stmt *row, cJSON **json)
{
    cJSON *item = cJSON_CreateObject();

    (void)store;
    if (item != NULL && store_add_text(item, "sku", row, 0) &&
        store_add_text(item, "name", row, 1) && store_add_integer(item, "quantity", row, 2) &&
        store_add_integer(item, "low_stock_threshold", row, 3) &&
        store_add_integer(item, "price_cents", row, 4) &&
        store_add_text(item, "updated_at", row, 5)) {
        *json = item;
        return STORE_OK;
    }
    cJSON_Delete(item);
    return STORE_MEMORY;
}

enum store_result store_stock_get(struct store *store, const char *sku, cJSON **item)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_GET);
    enum store_result result;

    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC);
    result = store_step_to_row(store, statement, STORE_NOT_FOUND);
    if (result == STORE_OK)
        result = item_of_row(store, statement, item);
    sqlite3_reset(statement);
    return result;
}

enum store_result store_stock_list(struct store *store, int64_t limit, const char *after,
                                   cJSON **items, bool *has_more)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_LIST);

    sqlite3_bind_text(statement, 1, after, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, limit + 1); /* one more tells whether there are more */
    return store_list_rows(store, statement, limit, item_of_row, items, has_more);
}

enum store_result store_stock_numbers(struct store *store, const char *sku, int64_t *quantity,
                                      int64_t *low_stock_threshold, int64_t *price_cents)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_GET);
    enum store_result result;

    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC);
    result = store_step_to_row(store, statement, STORE_UNKNOWN_SKU);
    if (result != STORE_OK)
        return result;
    *quantity = sqlite3_column_int64(statement, 2);
    *low_stock_threshold = sqlite3_column_int64(statement, 3);
    *price_cents = sqlite3_column_int64(statement, 4);
    sqlite3_reset(statement);
    return STORE_OK;
}

static void note_change(struct stock_changes *changes, const char *sku, bool fell)
{
    struct stock_change *change = &changes->list[changes->count++];

    strncpy(change->sku, sku, SKU_MAX_BYTES);
    change->sku[SKU_MAX_BYTES] = '\0';
    change->fell = fell;
}

enum store_result store_stock_move(struct store *store, const char *sku, int64_t delta,
                                   struct stock_changes *changes)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_MOVE);
    enum store_result result;

    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, delta);
    result = store_run(store, statement);
    if (result == STORE_OK)
        note_change(changes, sku, delta < 0);
    return result;
}

enum store_result store_stock_update(struct store *store, const char *sku,
                                     const struct stock_update *update,
                                     struct stock_changes *changes)
{
    sqlite3_stmt *statement;
    int64_t quantity;
    int64_t threshold;
    int64_t price;
    bool fell;
    enum store_result result = store_stock_numbers(store, sku, &quantity, &threshold, &price);

    if (result != STORE_OK)
        return result;
    fell = (update->quantity >= 0 && update->quantity < quantity) ||
           update->low_stock_threshold > threshold;

    statement = store_statement(store, STATEMENT_STOCK_UPDATE);
    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, update->quantity >= 0 ? update->quantity : quantity);
    sqlite3_bind_int64(statement, 3,
                       update->low_stock_threshold >= 0 ? update->low_stock_threshold
                                                        : threshold);
    sqlite3_bind_int64(statement, 4, update->price_cents >= 0 ? update->price_cents : price);
    sqlite3_bind_text(statement, 5, update->name, -1, SQLITE_STATIC);
    result = store_run(store, statement);
    if (result == STORE_OK)
        note_change(changes, sku, fell);
    return result;
}
