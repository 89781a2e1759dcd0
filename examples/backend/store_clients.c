/* store_clients.c: the rows of the clients.
 * What a name or an e-mail address must look like is checked by the API. */
#include "store_internal.h"

static enum store_result client_of_row(struct store *store, sqlite3_stmt *row, cJSON **json)
{
    cJSON *client = cJSON_CreateObject();

    (void)store;
    if (client != NULL && store_add_integer(client, "id", row, 0) &&
        store_add_text(client, "name", row, 1) && store_add_text(client, "email", row, 2) &&
        store_add_text(client, "phone", row, 3) &&
        store_add_text(client, "created_at", row, 4)) {
        *json = client;
        return STORE_OK;
    }
    cJSON_Delete(client);
    return STORE_MEMORY;
}

enum store_result store_client_get(struct store *store, int64_t id, cJSON **client)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLIENT_GET);
    enum store_result result;

    sqlite3_bind_int64(statement, 1, id);
    result = store_step_to_row(store, statement, STORE_NOT_FOUND);
    if (result == STORE_OK)
        result = client_of_row(store, statement, client);
    sqlite3_reset(statement);
    return result;
}

enum store_result store_client_list(struct store *store, int64_t limit, int64_t after,
                                    cJSON **clients, bool *has_more)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLIENT_LIST);

    sqlite3_bind_int64(statement, 1, after);
    sqlite3_bind_int64(statement, 2, limit + 1); /* one more tells whether there are more */
    return store_list_rows(store, statement, limit, client_of_row, clients, has_more);
}

static void bind_draft(sqlite3_stmt *statement, const struct client_draft *draft)
{
    sqlite3_bind_text(statement, 1, draft->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, draft->email, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 3, draft->phone, -1, SQLITE_STATIC);
}

/* Runs an insert or update. The only constraint that a request can violate is the unique e-mail
 * address. */
static enum store_result write_client(struct store *store, sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    enum store_result result = STORE_OK;

    if (code == SQLITE_CONSTRAINT &&
        sqlite3_extended_errcode(store->db) == SQLITE_CONSTRAINT_UNIQUE)
        result = STORE_DUPLICATE_EMAIL;
    else if (code != SQLITE_DONE)
        result = store_failure(store, code);
    sqlite3_reset(statement);
    return result;
}

enum store_result store_client_create(struct store *store, const struct client_draft *draft,
                                      int64_t *id)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLIENT_INSERT);
    enum store_result result;

    bind_draft(statement, draft);
    result = write_client(store, statement);
    if (result == STORE_OK)
        *id = sqlite3_last_insert_rowid(store->db);
    return result;
}

enum store_result store_client_update(struct store *store, int64_t id,
                                      const struct client_draft *draft)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_CLIENT_UPDATE);
    enum store_result result;

    bind_draft(statement, draft);
    sqlite3_bind_int64(statement, 4, id);
    result = write_client(store, statement);
    if (result == STORE_OK && sqlite3_changes(store->db) == 0)
        return STORE_NOT_FOUND;
    return result;
}
