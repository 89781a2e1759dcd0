/* store_checkpoint.c: a thread that copies the WAL into the database and syncs both to the disk, so
 * that transactions need not (https://sqlite.org/wal.html#ckpt). One that begins the WAL anew still
 * syncs its header.
 * Not here: the last checkpoint, which SQLite makes when the store is closed.
 *
 * SQLite 3.7.0 to 3.51.2 may corrupt a database if a checkpoint begins when the WAL is already
 * copied completely, and a commit begins the WAL anew meanwhile
 * (https://sqlite.org/wal.html#walresetbug). So none begins then, unless the store's mutex
 * excludes commits. */
#include "store_internal.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "server/parts/monotonic_clock.h"

enum {
    WAL_PAGES = 1000, /* as many as SQLite has by default before it makes a checkpoint */
    WAL_LONG = 4 * WAL_PAGES,
    WAL_TOO_LONG = 10 * WAL_LONG, /* 160 MB */
    AT_ONCE_PART = 64,            /* of a WAL that is too long, copied while writers wait */
    REPEATS = 4,                  /* to copy what was committed during the copy before */
    PAUSE_MS = 100,               /* between two checkpoints */
    LONGEST_PAUSE_MS = 32 * PAUSE_MS,
    WAITS = 20 /* of a millisecond each, for the end of the last reads */
};

struct store_checkpointer {
    struct store *store;
    sqlite3 *db;
    pthread_t thread;
    pthread_mutex_t mutex; /* of `pages` and `is_ending` */
    pthread_cond_t changed;
    int pages; /* of the WAL, after the last transaction; 0: none since the last checkpoint */
    bool is_ending;
    uint64_t pause_ms; /* the next one: longer after failures */
    int warn_at;       /* pages; twice as many after each warning */
};

/* In the thread that commits. */
static int on_commit(void *user_data, sqlite3 *db, const char *name, int pages)
{
    struct store_checkpointer *checkpointer = user_data;

    (void)db;
    (void)name;
    pthread_mutex_lock(&checkpointer->mutex);
    checkpointer->pages = pages;
    if (pages >= WAL_PAGES)
        pthread_cond_signal(&checkpointer->changed);
    pthread_mutex_unlock(&checkpointer->mutex);
    return SQLITE_OK;
}

static int wait_for_readers(void *user_data, int n_before)
{
    (void)user_data;
    usleep(1000);
    return n_before < WAITS;
}

static bool has_failed(struct store_checkpointer *checkpointer, int code)
{
    static struct log_pause pause;

    if (code == SQLITE_OK || code == SQLITE_BUSY)
        return false;
    atomic_fetch_add(&checkpointer->store->n_failures, 1);
    if (log_pause_take(&pause))
        log_line(WS_LOG_ERROR, "a checkpoint of the database failed: %s",
                 sqlite3_errmsg(checkpointer->db));
    return true;
}

/* Notes that so many pages are copied. Returns how many the WAL had after the last transaction,
 * 0 if there was none since the last checkpoint. The caller has the store's mutex, so all
 * transactions have been noted. */
static int note_copied(struct store_checkpointer *checkpointer, int copied)
{
    int pages;

    pthread_mutex_lock(&checkpointer->mutex);
    pages = checkpointer->pages;
    if (pages <= copied)
        checkpointer->pages = 0;
    pthread_mutex_unlock(&checkpointer->mutex);
    return pages;
}

/* Makes the next transaction begin the WAL anew, which it does not do by itself while there is
 * always one that reads from it. The caller has the store's mutex: those that write wait for
 * the end of the last such read. True if it is done. */
static bool restart_wal(struct store_checkpointer *checkpointer)
{
    int pages = -1;
    int copied = -1;
    int code = sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_RESTART,
                                         &pages, &copied);

    if (copied == pages && (code == SQLITE_OK || code == SQLITE_BUSY))
        note_copied(checkpointer, copied);
    return !has_failed(checkpointer, code) && code == SQLITE_OK;
}

enum copy_result { COPY_DONE, COPY_AGAIN, COPY_LATER };

/* Whether a long WAL may begin anew after a copy: those that write wait while what was
 * committed during the copy is copied and synced. So nothing must have been, or little if the
 * WAL is too long: without that, such a moment may not come while there are always some that
 * write. */
static bool may_restart(int pages, int copied)
{
    return pages == 0 || pages == copied ||
           (pages >= WAL_TOO_LONG && pages - copied <= pages / AT_ONCE_PART);
}

/* After a complete copy. */
static enum copy_result end_copy(struct store_checkpointer *checkpointer, int copied)
{
    enum copy_result result = COPY_DONE;
    int pages;

    pthread_mutex_lock(&checkpointer->store->mutex);
    pages = note_copied(checkpointer, copied);
    if (copied >= WAL_LONG && may_restart(pages, copied))
        result = restart_wal(checkpointer) ? COPY_DONE : COPY_LATER;
    else if (copied >= WAL_LONG && pages > copied)
        result = COPY_AGAIN;
    pthread_mutex_unlock(&checkpointer->store->mutex);
    return result;
}

static void warn_of_length(struct store_checkpointer *checkpointer, int pages, int copied)
{
    if (pages < WAL_TOO_LONG) {
        checkpointer->warn_at = WAL_TOO_LONG;
    } else if (pages >= checkpointer->warn_at) {
        log_line(
            WS_LOG_WARN,
            "the database's write-ahead log does not shrink: it has %d pages, of which %d are"
            " copied; another process may be reading the database: %s",
            pages, copied, sqlite3_errmsg(checkpointer->db));
        checkpointer->warn_at = pages < INT32_MAX / 2 ? 2 * pages : INT32_MAX;
    }
}

static enum copy_result copy(struct store_checkpointer *checkpointer)
{
    int pages = -1;
    int copied = -1;
    int code = sqlite3_wal_checkpoint_v2(checkpointer->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         &pages, &copied);

    if (has_failed(checkpointer, code))
        return COPY_LATER;
    if (code == SQLITE_BUSY) /* another process makes one */
        return COPY_DONE;
    warn_of_length(checkpointer, pages, copied);
    return copied == pages ? end_copy(checkpointer, copied) : COPY_DONE;
}

static void make_checkpoint(struct store_checkpointer *checkpointer)
{
    enum copy_result result = copy(checkpointer);

    for (int i = 0; i < REPEATS && result == COPY_AGAIN; i++)
        result = copy(checkpointer);
    if (result == COPY_DONE)
        checkpointer->pause_ms = PAUSE_MS;
    else if (checkpointer->pause_ms < LONGEST_PAUSE_MS)
        checkpointer->pause_ms *= 2;
}

/* The caller has the mutex. */
static void rest(struct store_checkpointer *checkpointer)
{
    uint64_t until_ms = monotonic_ms() + checkpointer->pause_ms;
    struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                             .tv_nsec = (long)(until_ms % 1000) * 1000000};

    while (!checkpointer->is_ending &&
           pthread_cond_timedwait(&checkpointer->changed, &checkpointer->mutex, &until) == 0)
        continue;
}

static void *run(void *user_data)
{
    struct store_checkpointer *checkpointer = user_data;

    pthread_mutex_lock(&checkpointer->mutex);
    while (!checkpointer->is_ending) {
        if (checkpointer->pages < WAL_PAGES) {
            pthread_cond_wait(&checkpointer->changed, &checkpointer->mutex);
            continue;
        }
        checkpointer->pages = 0;
        pthread_mutex_unlock(&checkpointer->mutex);
        make_checkpoint(checkpointer);
        pthread_mutex_lock(&checkpointer->mutex);
        rest(checkpointer);
    }
    pthread_mutex_unlock(&checkpointer->mutex);
    return NULL;
}

static void free_checkpointer(struct store_checkpointer *checkpointer)
{
    sqlite3_close(checkpointer->db);
    pthread_cond_destroy(&checkpointer->changed);
    pthread_mutex_destroy(&checkpointer->mutex);
    free(checkpointer);
}

static void make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool store_start_checkpointer(struct store *store, const char *file)
{
    struct store_checkpointer *checkpointer = calloc(1, sizeof *checkpointer);

    if (checkpointer == NULL)
        return false;
    checkpointer->store = store;
    checkpointer->warn_at = WAL_TOO_LONG;
    checkpointer->pause_ms = PAUSE_MS;
    pthread_mutex_init(&checkpointer->mutex, NULL);
    make_condition(&checkpointer->changed);
    if (sqlite3_open_v2(file, &checkpointer->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        store->vfs.zName) != SQLITE_OK ||
        sqlite3_busy_handler(checkpointer->db, wait_for_readers, NULL) != SQLITE_OK ||
        sqlite3_exec(checkpointer->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL) !=
            SQLITE_OK ||
        pthread_create(&checkpointer->thread, NULL, run, checkpointer) != 0) {
        free_checkpointer(checkpointer);
        return false;
    }
    store->checkpointer = checkpointer;
    sqlite3_wal_hook(store->db, on_commit, checkpointer); /* in place of SQLite's own */
    return true;
}

void store_end_checkpointer(struct store *store)
{
    struct store_checkpointer *checkpointer = store->checkpointer;

    if (checkpointer == NULL)
        return;
    sqlite3_wal_hook(store->db, NULL, NULL);
    pthread_mutex_lock(&checkpointer->mutex);
    checkpointer->is_ending = true;
    pthread_cond_signal(&checkpointer->changed);
    pthread_mutex_unlock(&checkpointer->mutex);
    pthread_join(checkpointer->thread, NULL);
    free_checkpointer(checkpointer);
    store->checkpointer = NULL;
}
