/* store_transaction.c: the transactions of the connection that writes and of those that only read,
 * which exclude each other in a database in memory only (https://sqlite.org/wal.html).
 * Opening the connections is in store.c. */
#include "store_internal.h"

/* The caller has the mutex, which is released on failure. */
static enum store_result begin(struct store *store, enum store_access access)
{
    enum store_result result =
        store_run(store, store_statement(store, access == STORE_WRITE ? STATEMENT_BEGIN_WRITE
                                                                      : STATEMENT_BEGIN_READ));
    store->in_transaction = result == STORE_OK;
    if (result != STORE_OK)
        pthread_mutex_unlock(&store->mutex);
    return result;
}

enum store_result store_begin(struct store *store, enum store_access access)
{
    pthread_mutex_lock(&store->mutex);
    return begin(store, access);
}

enum store_result store_try_begin(struct store *store, enum store_access access)
{
    return pthread_mutex_trylock(&store->mutex) == 0 ? begin(store, access) : STORE_TAKEN;
}

struct store *store_take_reader(struct store *store)
{
    struct store *reader;

    pthread_mutex_lock(&store->readers_mutex);
    reader = store->readers;
    if (reader != NULL)
        store->readers = reader->next;
    pthread_mutex_unlock(&store->readers_mutex);
    return reader;
}

void store_give_back_reader(struct store *reader)
{
    struct store *store = reader->owner;

    pthread_mutex_lock(&store->readers_mutex);
    reader->next = store->readers;
    store->readers = reader;
    pthread_mutex_unlock(&store->readers_mutex);
}

/* BEGIN alone reads nothing, and so cannot fail. The snapshot lasts until the transaction ends. */
static bool take_snapshot(struct store *reader)
{
    sqlite3_stmt *snapshot = store_statement(reader, STATEMENT_READ_SNAPSHOT);
    int code;

    if (sqlite3_step(store_statement(reader, STATEMENT_BEGIN_READ)) != SQLITE_DONE)
        return false;
    reader->in_transaction = true;
    code = sqlite3_step(snapshot);
    sqlite3_reset(snapshot);
    return code == SQLITE_ROW || code == SQLITE_DONE;
}

enum store_result store_begin_read(struct store *store, struct store **reader)
{
    struct store *taken = store_take_reader(store);

    if (taken != NULL && take_snapshot(taken)) {
        *reader = taken;
        return STORE_OK;
    }
    if (taken != NULL)
        store_end(taken);
    /* There is a lock, of another process or, for a moment, of a writer of this one; or the
     * database is in memory, which has one connection. */
    *reader = store;
    return store_begin(store, STORE_READ);
}

enum store_result store_commit(struct store *store)
{
    enum store_result result = store_run(store, store_statement(store, STATEMENT_COMMIT));

    if (result == STORE_OK)
        store->in_transaction = false;
    return result;
}

void store_end(struct store *store)
{
    /* After some errors, SQLite rolls back by itself. */
    if (store->in_transaction && sqlite3_get_autocommit(store->db) == 0)
        store_run(store, store_statement(store, STATEMENT_ROLLBACK));
    store->in_transaction = false;
    if (store->owner != NULL)
        store_give_back_reader(store);
    else
        pthread_mutex_unlock(&store->mutex);
}
