/* store_internal.h: what the store's own files share: the connection and its statements.
 * No other file includes it. */
#ifndef BACKEND_STORE_INTERNAL_H
#define BACKEND_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store.h"

#define STORE_NOW "strftime('%Y-%m-%dT%H:%M:%fZ','now')"
#define STORE_ORDER_COLUMNS                                                                    \
    "SELECT o.id, o.client_id, c.name, o.status, o.total_cents, o.created_at, o.updated_at"    \
    " FROM orders o JOIN clients c ON c.id = o.client_id "
#define STORE_STOCK_COLUMNS                                                                    \
    "SELECT sku, name, quantity, low_stock_threshold, price_cents, updated_at FROM inventory "
#define STORE_CLIENT_COLUMNS "SELECT id, name, email, phone, created_at FROM clients "

/* Every statement, prepared once and kept. */
#define STORE_STATEMENTS(X)                                                                    \
    X(BEGIN_READ, "BEGIN")                                                                     \
    X(READ_SNAPSHOT, "SELECT 1 FROM inventory LIMIT 1")                                        \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                          \
    X(COMMIT, "COMMIT")                                                                        \
    X(ROLLBACK, "ROLLBACK")                                                                    \
    X(STOCK_GET, STORE_STOCK_COLUMNS "WHERE sku = ?1")                                         \
    X(STOCK_LIST, STORE_STOCK_COLUMNS "WHERE sku > ?1 ORDER BY sku LIMIT ?2")                  \
    X(STOCK_MOVE, "UPDATE inventory SET quantity = quantity + ?2, updated_at = " STORE_NOW     \
                  " WHERE sku = ?1")                                                           \
    X(STOCK_UPDATE, "UPDATE inventory SET quantity = ?2, low_stock_threshold = ?3,"            \
                    " price_cents = ?4, name = coalesce(?5, name), updated_at = " STORE_NOW    \
                    " WHERE sku = ?1")                                                         \
    X(CLIENT_GET, STORE_CLIENT_COLUMNS "WHERE id = ?1")                                        \
    X(CLIENT_LIST, STORE_CLIENT_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2")                  \
    X(CLIENT_INSERT, "INSERT INTO clients (name, email, phone, created_at)"                    \
                     " VALUES (?1, ?2, ?3, " STORE_NOW ")")                                    \
    X(CLIENT_UPDATE, "UPDATE clients SET name = ?1, email = ?2, phone = ?3 WHERE id = ?4")     \
    X(ORDER_GET, STORE_ORDER_COLUMNS "WHERE o.id = ?1")                                        \
    X(ORDER_LIST, STORE_ORDER_COLUMNS "WHERE o.id < ?1 ORDER BY o.id DESC LIMIT ?2")           \
    X(ORDER_INSERT,                                                                            \
      "INSERT INTO orders (client_id, status, total_cents, created_at, updated_at)"            \
      " VALUES (?1, 'pending', 0, " STORE_NOW ", " STORE_NOW ")")                              \
    X(ORDER_UPDATE,                                                                            \
      "UPDATE orders SET client_id = ?2, total_cents = ?3, updated_at = " STORE_NOW            \
      " WHERE id = ?1")                                                                        \
    X(ORDER_SET_STATUS,                                                                        \
      "UPDATE orders SET status = ?2, updated_at = " STORE_NOW " WHERE id = ?1")               \
    X(LINE_LIST, "SELECT i.sku, v.name, i.quantity, i.unit_price_cents FROM order_items i"     \
                 " JOIN inventory v ON v.sku = i.sku WHERE i.order_id = ?1 ORDER BY i.rowid")  \
    X(LINE_INSERT, "INSERT INTO order_items (order_id, sku, quantity, unit_price_cents)"       \
                   " VALUES (?1, ?2, ?3, ?4)")                                                 \
    X(LINE_DELETE_ALL, "DELETE FROM order_items WHERE order_id = ?1")                          \
    X(OUTBOX_INSERT, "INSERT INTO outbox (node, producer, type, user_id, data, key)"           \
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                       \
    X(OUTBOX_LIST, "SELECT id, producer, type, user_id, data, key FROM outbox"                 \
                   " WHERE node = ?1 AND id > ?2 ORDER BY id LIMIT ?3")                        \
    X(OUTBOX_OF_OTHERS, "SELECT count(*), min(node) FROM outbox WHERE node <> ?1")             \
    X(OUTBOX_DELETE, "DELETE FROM outbox WHERE node = ?1 AND id > ?2 AND id <= ?3")

enum statement {
#define X(name, sql) STATEMENT_##name,
    STORE_STATEMENTS(X)
#undef X
        N_STATEMENTS
};

struct store_checkpointer;

/* A connection with its statements. The store itself is the one that writes; it owns the others,
 * which only read. */
struct store {
    sqlite3 *db;
    bool in_transaction;
    size_t rows_listed; /* by all lists so far, and by the lists within their rows */
    sqlite3_stmt *statements[N_STATEMENTS];
    struct store *owner; /* of a connection that only reads; NULL: the store itself */
    struct store *next;  /* of those that are free */

    /* The rest is used in the store itself only. */
    sqlite3_vfs vfs; /* the default one, but it sleeps only while `is_starting` */
    sqlite3_vfs *default_vfs;
    bool is_starting;
    pthread_mutex_t mutex;         /* from store_begin() to store_end() */
    pthread_mutex_t readers_mutex; /* of `readers`, never held for longer than its change */
    struct store *readers;         /* that are free */
    struct store_checkpointer *checkpointer; /* NULL: the database is in memory */
    _Atomic uint64_t n_failures;
};

/* Creates the tables of a new database and fills them, or checks the version of an old one. False
 * with a line in `problem`. */
bool store_prepare_schema(sqlite3 *db, char *problem, size_t problem_size);

/* A statement, ready to bind. */
sqlite3_stmt *store_statement(struct store *store, enum statement which);

/* Logs the database's error and returns its result. Call it before the statement is reset. */
enum store_result store_failure(struct store *store, int code);

/* Steps once. STORE_OK with *row telling whether there is a row; else the statement is reset.
 */
enum store_result store_step(struct store *store, sqlite3_stmt *statement, bool *row);

/* Steps to the only row that is wanted; `absent` when there is none. The caller resets. */
enum store_result store_step_to_row(struct store *store, sqlite3_stmt *statement,
                                    enum store_result absent);

/* A connection that reads; NULL if all are in use, or there are none. */
struct store *store_take_reader(struct store *store);
void store_give_back_reader(struct store *reader);

/* Starts a thread that makes the checkpoints in place of the transactions that write. False if it
 * cannot be started. */
bool store_start_checkpointer(struct store *store, const char *file);
void store_end_checkpointer(struct store *store);

/* Makes JSON of the current row. */
typedef enum store_result store_read_row(struct store *store, sqlite3_stmt *row, cJSON **json);

/* Makes an array of at most `limit` rows. It ends earlier once it and the lists within it have
 * STORE_LIST_ROWS; *has_more tells whether there are more rows. With `has_more` NULL, the array has
 * all rows. Resets. */
enum store_result store_list_rows(struct store *store, sqlite3_stmt *statement, int64_t limit,
                                  store_read_row *read, cJSON **list, bool *has_more);

/* Runs a statement that gives no rows, and resets it. */
enum store_result store_run(struct store *store, sqlite3_stmt *statement);

/* Moves stock, and notes it in `changes` (an item is noted once). STORE_UNKNOWN_SKU when there
 * is no such item. The caller has checked that there is enough. */
enum store_result store_stock_move(struct store *store, const char *sku, int64_t delta,
                                   struct stock_changes *changes);

/* An item's numbers; STORE_UNKNOWN_SKU. */
enum store_result store_stock_numbers(struct store *store, const char *sku, int64_t *quantity,
                                      int64_t *low_stock_threshold, int64_t *price_cents);

/* Adds a text column, null if it is NULL. */
bool store_add_text(cJSON *object, const char *name, sqlite3_stmt *row, int column);

/* Adds an integer column. */
bool store_add_integer(cJSON *object, const char *name, sqlite3_stmt *row, int column);

#endif
