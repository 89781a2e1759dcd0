/* store_inventory.c: the rows of the inventory.
 * What may be ordered is in store_orders.c. */
#include <string.h>

#include "store_internal.h"

static cJSON *item_of_row(sqlite3_stmt *row)
{
    cJSON *item = cJSON_CreateObject();

    if (item != NULL && store_add_text(item, "sku", row, 0) &&
        store_add_text(item, "name", row, 1) && store_add_integer(item, "quantity", row, 2) &&
        store_add_integer(item, "low_stock_threshold", row, 3) &&
        store_add_integer(item, "price_cents", row, 4) &&
        store_add_text(item, "updated_at", row, 5)) {
        return item;
    }
    cJSON_Delete(item);
    return NULL;
}

enum store_result store_stock_get(struct store *store, const char *sku, cJSON **item)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_GET);
    enum store_result result;
    bool row;

    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC);
    result = store_step(store, statement, &row);
    if (result != STORE_OK || !row) {
        return result != STORE_OK ? result : STORE_NOT_FOUND;
    }
    *item = item_of_row(statement);
    sqlite3_reset(statement);
    return *item != NULL ? STORE_OK : STORE_MEMORY;
}

enum store_result store_stock_list(struct store *store, cJSON **items)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_LIST);
    cJSON *list = cJSON_CreateArray();
    enum store_result result = list != NULL ? STORE_OK : STORE_MEMORY;
    bool row = true;

    while (result == STORE_OK) {
        result = store_step(store, statement, &row);
        if (result != STORE_OK || !row) {
            break;
        }
        if (!cJSON_AddItemToArray(list, item_of_row(statement))) {
            result = STORE_MEMORY;
        }
    }
    sqlite3_reset(statement);
    if (result != STORE_OK) {
        cJSON_Delete(list);
        return result;
    }
    *items = list;
    return STORE_OK;
}

enum store_result store_stock_numbers(struct store *store, const char *sku, int64_t *quantity,
                                      int64_t *low_stock_threshold, int64_t *price_cents)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_STOCK_GET);
    enum store_result result;
    bool row;

    sqlite3_bind_text(statement, 1, sku, -1, SQLITE_STATIC);
    result = store_step(store, statement, &row);
    if (result != STORE_OK || !row) {
        return result != STORE_OK ? result : STORE_UNKNOWN_SKU;
    }
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
    if (result == STORE_OK) {
        note_change(changes, sku, delta < 0);
    }
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

    if (result != STORE_OK) {
        return result;
    }
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
    if (result == STORE_OK) {
        note_change(changes, sku, fell);
    }
    return result;
}
