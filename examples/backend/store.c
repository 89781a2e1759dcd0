/* store.c: opening and closing the database, and running its statements.
 * Transactions are in store_transaction.c, the schema in store_schema.c, the rows in
 * store_orders.c, store_clients.c and store_inventory.c. */
#include "store.h"

#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "store_internal.h"

/* Only at the start, when another process may be creating the tables. Later no call waits,
 * because its whole loop would: the client gets a 503 and tries again. */
enum { START_BUSY_TIMEOUT_MS = 5000 };

/* A reader of this process that meets a writer's change of the WAL's index locks it for some
 * microseconds. */
enum { MOST_YIELDS = 8 };

static const char *const statement_texts[] = {
#define X(name, sql) sql,
    STORE_STATEMENTS(X)
#undef X
};

/* What SQLite reports when a quota or a limit of file sizes, not the disk, leaves no room. */
static bool is_failed_write(int extended_code)
{
    return extended_code == SQLITE_IOERR_WRITE || extended_code == SQLITE_IOERR_SHMSIZE;
}

static enum store_result kind_of_failure(struct store *store, int code)
{
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: /* other processes hold the WAL's index */
        return STORE_BUSY;
    case SQLITE_FULL:
        return STORE_FULL;
    case SQLITE_NOMEM:
        return STORE_MEMORY;
    case SQLITE_IOERR:
        return is_failed_write(sqlite3_extended_errcode(store->db)) ? STORE_FULL : STORE_FAILED;
    default:
        return STORE_FAILED;
    }
}

enum store_result store_failure(struct store *store, int code)
{
    static struct log_pause pauses[STORE_FAILED + 1]; /* one each, so that none hides another */
    enum store_result result = kind_of_failure(store, code);

    atomic_fetch_add(store->owner != NULL ? &store->owner->n_failures : &store->n_failures, 1);
    if (log_pause_take(&pauses[result]))
        log_line(WS_LOG_ERROR, "database: %s", sqlite3_errmsg(store->db));
    return result;
}

uint64_t store_failures(const struct store *store)
{
    return atomic_load(&store->n_failures);
}

sqlite3_stmt *store_statement(struct store *store, enum statement which)
{
    sqlite3_stmt *statement = store->statements[which];

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

enum store_result store_step(struct store *store, sqlite3_stmt *statement, bool *row)
{
    int code = sqlite3_step(statement);
    enum store_result result;

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return STORE_OK;
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement);
        return STORE_OK;
    }
    result = store_failure(store, code);
    sqlite3_reset(statement);
    return result;
}

enum store_result store_step_to_row(struct store *store, sqlite3_stmt *statement,
                                    enum store_result absent)
{
    bool row;
    enum store_result result = store_step(store, statement, &row);

    return result == STORE_OK && !row ? absent : result;
}

static enum store_result add_row(struct store *store, sqlite3_stmt *row, store_read_row *read,
                                 cJSON *list)
{
    cJSON *json = NULL;
    enum store_result result = read(store, row, &json);

    if (result == STORE_OK)
        cJSON_AddItemToArray(list, json);
    store->rows_listed++;
    return result;
}

enum store_result store_list_rows(struct store *store, sqlite3_stmt *statement, int64_t limit,
                                  store_read_row *read, cJSON **list, bool *has_more)
{
    cJSON *made = cJSON_CreateArray();
    enum store_result result = made != NULL ? STORE_OK : STORE_MEMORY;
    size_t rows_before = store->rows_listed;
    int64_t count = 0;
    bool row = true;

    if (has_more != NULL)
        *has_more = false;
    while (result == STORE_OK) {
        result = store_step(store, statement, &row);
        if (result != STORE_OK || !row)
            break;
        if (has_more != NULL &&
            (count++ == limit || store->rows_listed - rows_before >= STORE_LIST_ROWS)) {
            *has_more = true;
            break;
        }
        result = add_row(store, statement, read, made);
    }
    sqlite3_reset(statement);
    if (result != STORE_OK) {
        cJSON_Delete(made);
        return result;
    }
    *list = made;
    return STORE_OK;
}

enum store_result store_run(struct store *store, sqlite3_stmt *statement)
{
    bool row;
    enum store_result result = store_step(store, statement, &row);

    sqlite3_reset(statement);
    return result;
}

/* SQLite sleeps here for up to ten seconds in total if another process has locked the WAL's index,
 * whatever the busy timeout. Without the sleep it tries as often, and fails within a
 * millisecond. If one of this process's own threads has the lock, it continues meanwhile. */
static int sleep_at_start(sqlite3_vfs *vfs, int microseconds)
{
    const struct store *store =
        (const struct store *)(void *)((char *)vfs - offsetof(struct store, vfs));

    if (store->is_starting)
        return store->default_vfs->xSleep(store->default_vfs, microseconds);
    sched_yield();
    return microseconds;
}

static int yield(void *user_data, int n_before)
{
    (void)user_data;
    sched_yield();
    return n_before < MOST_YIELDS;
}

/* Opens the database's file with a file system of its own, which the default one implements. */
static bool open_file(struct store *store, const char *file)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_initialize() != SQLITE_OK)
        return false;
    store->default_vfs = sqlite3_vfs_find(NULL);
    store->vfs = *store->default_vfs;
    store->vfs.zName = "store";
    store->vfs.xSleep = sleep_at_start;
    store->is_starting = true;
    return sqlite3_vfs_register(&store->vfs, 0) == SQLITE_OK &&
           sqlite3_open_v2(file, &store->db, flags, store->vfs.zName) == SQLITE_OK;
}

static bool configure(sqlite3 *db)
{
    return sqlite3_busy_timeout(db, START_BUSY_TIMEOUT_MS) == SQLITE_OK &&
           sqlite3_exec(db,
                        "PRAGMA journal_mode = WAL;"
                        "PRAGMA synchronous = NORMAL;"
                        "PRAGMA foreign_keys = ON;",
                        NULL, NULL, NULL) == SQLITE_OK;
}

static bool prepare_statements(struct store *store)
{
    for (int i = 0; i < N_STATEMENTS; i++)
        if (sqlite3_prepare_v3(store->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK)
            return false;
    return true;
}

static void close_connection(struct store *connection)
{
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(connection->statements[i]);
    sqlite3_close(connection->db);
}

static bool open_reader(struct store *store, const char *file)
{
    struct store *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return false;
    reader->owner = store;
    if (sqlite3_open_v2(file, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                        store->vfs.zName) != SQLITE_OK ||
        sqlite3_busy_timeout(reader->db, START_BUSY_TIMEOUT_MS) != SQLITE_OK ||
        !prepare_statements(reader)) {
        close_connection(reader);
        free(reader);
        return false;
    }
    sqlite3_busy_timeout(reader->db, 0);
    store_give_back_reader(reader);
    return true;
}

/* A database in memory, or a temporary one, belongs to one connection. */
static bool has_file(sqlite3 *db)
{
    const char *path = sqlite3_db_filename(db, "main");

    return path != NULL && path[0] != '\0';
}

static bool open_readers(struct store *store, const char *file, uint32_t n_readers)
{
    for (uint32_t i = 0; i < n_readers; i++)
        if (!open_reader(store, file))
            return false;
    return true;
}

static struct store *open_store(const char *file, uint32_t n_readers, char *problem,
                                size_t problem_size)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        snprintf(problem, problem_size, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&store->mutex, NULL);
    pthread_mutex_init(&store->readers_mutex, NULL);
    if (!open_file(store, file) || !configure(store->db)) {
        snprintf(problem, problem_size, "%s", sqlite3_errmsg(store->db));
        store_close(store);
        return NULL;
    }
    if (sqlite3_db_readonly(store->db, "main") != 0) {
        snprintf(problem, problem_size, "the database cannot be written to");
        store_close(store);
        return NULL;
    }
    if (!store_prepare_schema(store->db, problem, problem_size)) {
        store_close(store);
        return NULL;
    }
    if (!prepare_statements(store)) {
        snprintf(problem, problem_size, "%s", sqlite3_errmsg(store->db));
        store_close(store);
        return NULL;
    }
    if (has_file(store->db) &&
        (!open_readers(store, file, n_readers) || !store_start_checkpointer(store, file))) {
        snprintf(problem, problem_size,
                 "further connections to it cannot be opened, or memory ran out");
        store_close(store);
        return NULL;
    }
    sqlite3_busy_handler(store->db, yield, NULL);
    store->is_starting = false;
    return store;
}

struct store *store_open(const char *file, uint32_t n_readers, char *problem,
                         size_t problem_size)
{
    /* New files are readable by this user only. Files that SQLite creates beside the database
     * later get its mode. */
    mode_t mask = umask(S_IRWXG | S_IRWXO);
    struct store *store = open_store(file, n_readers, problem, problem_size);

    umask(mask);
    return store;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_end_checkpointer(store);
    while (store->readers != NULL) {
        struct store *reader = store_take_reader(store);

        close_connection(reader);
        free(reader);
    }
    close_connection(store); /* the last one, which can write, empties the WAL */
    sqlite3_vfs_unregister(&store->vfs);
    pthread_mutex_destroy(&store->readers_mutex);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

bool store_add_text(cJSON *object, const char *name, sqlite3_stmt *row, int column)
{
    const char *text = (const char *)sqlite3_column_text(row, column);

    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return cJSON_AddNullToObject(object, name) != NULL;
    return text != NULL && cJSON_AddStringToObject(object, name, text) != NULL;
}

bool store_add_integer(cJSON *object, const char *name, sqlite3_stmt *row, int column)
{
    return cJSON_AddNumberToObject(object, name, (double)sqlite3_column_int64(row, column)) !=
           NULL;
}
