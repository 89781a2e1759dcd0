/* store_outbox.c: the rows of the outbox: events that are not stored elsewhere yet.
 * outbox.c emits them. */
#include "store_internal.h"

#include <stdio.h>

static void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

enum store_result store_outbox_add(struct store *store, const char *node,
                                   const struct outbox_row *row)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTBOX_INSERT);

    bind_text(statement, 1, node);
    bind_text(statement, 2, row->producer);
    bind_text(statement, 3, row->type);
    bind_text(statement, 4, row->user_id);
    bind_text(statement, 5, row->data);
    bind_text(statement, 6, row->key);
    return store_run(store, statement);
}

static bool read_row(sqlite3_stmt *statement, struct outbox_row *row)
{
    *row = (struct outbox_row){
        .id = sqlite3_column_int64(statement, 0),
        .producer = (const char *)sqlite3_column_text(statement, 1),
        .type = (const char *)sqlite3_column_text(statement, 2),
        .user_id = (const char *)sqlite3_column_text(statement, 3),
        .data = (const char *)sqlite3_column_text(statement, 4),
        .length = (size_t)sqlite3_column_bytes(statement, 4),
        .key = (const char *)sqlite3_column_text(statement, 5),
    };
    return row->producer != NULL && row->type != NULL && row->data != NULL;
}

enum store_result store_outbox_list(struct store *store, const char *node, int64_t after,
                                    size_t limit,
                                    bool (*take)(const struct outbox_row *row, void *user_data),
                                    void *user_data, size_t *count)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTBOX_LIST);
    enum store_result result;
    bool found;

    *count = 0;
    bind_text(statement, 1, node);
    sqlite3_bind_int64(statement, 2, after);
    sqlite3_bind_int64(statement, 3, (int64_t)limit);
    while ((result = store_step(store, statement, &found)) == STORE_OK && found) {
        struct outbox_row row;

        if (!read_row(statement, &row)) {
            result = STORE_MEMORY;
            break;
        }
        if (!take(&row, user_data))
            break;
        ++*count;
    }
    sqlite3_reset(statement);
    return result;
}

enum store_result store_outbox_of_others(struct store *store, const char *node, int64_t *count,
                                         char *name, size_t size)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTBOX_OF_OTHERS);
    enum store_result result;
    const char *text;

    bind_text(statement, 1, node);
    result = store_step_to_row(store, statement, STORE_FAILED);
    if (result == STORE_OK) {
        *count = sqlite3_column_int64(statement, 0);
        text = (const char *)sqlite3_column_text(statement, 1);
        snprintf(name, size, "%s", text != NULL ? text : "");
    }
    sqlite3_reset(statement);
    return result;
}

enum store_result store_outbox_delete(struct store *store, const char *node, int64_t after,
                                      int64_t up_to)
{
    sqlite3_stmt *statement = store_statement(store, STATEMENT_OUTBOX_DELETE);

    bind_text(statement, 1, node);
    sqlite3_bind_int64(statement, 2, after);
    sqlite3_bind_int64(statement, 3, up_to);
    return store_run(store, statement);
}
