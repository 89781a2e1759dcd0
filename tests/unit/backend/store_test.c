/* store_test.c: whether the store waits for another process's locks, and for another thread's
 * transaction. SQLite's sleeps are counted.
 * Not here: what becomes of the events meanwhile (e2e/test_database.py). */
#include "store.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "support/suite.h"

/* The locks of readers in FILE-shm, the WAL's index: "WAL_READ_LOCK" in SQLite's wal.c. */
enum { FIRST_READ_LOCK = 123, N_READ_LOCKS = 5 };

/* In FILE-shm, too: "mxFrame" and "nBackfill" in SQLite's wal.c. */
enum { WAL_PAGES_AT = 16, WAL_COPIED_AT = 96 };

/* Pages, from which on the WAL is made to begin anew, and that it may have while it is not
 * (store_checkpoint.c). */
enum { WAL_LONG = 4000, WAL_TOO_LONG = 40000 };

enum { LARGE_BYTES = 4 << 20, LARGE_PAGES = LARGE_BYTES / 4096 };

enum { N_THREADS = 3, N_ROUNDS = 2000 };

static char folder[] = "/tmp/store-test-XXXXXX";
static char file[64];
static sqlite3_vfs counting;
static int n_sleeps;

/* Syncs of the database, without its WAL, to the disk. */
static pthread_t test_thread;
static atomic_int n_syncs_here;      /* by the thread of the tests */
static atomic_int n_syncs_elsewhere; /* by others */

static int count_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    n_sleeps++;
    return microseconds;
}

static void count_sync(int fd)
{
    char link[32];
    char path[sizeof file + 8] = "";

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, path, sizeof path - 1) < 0 || strcmp(path, file) != 0)
        return;
    atomic_fetch_add(
        pthread_equal(pthread_self(), test_thread) ? &n_syncs_here : &n_syncs_elsewhere, 1);
}

/* SQLite calls these two in place of those of libc. */
int fsync(int fd)
{
    count_sync(fd);
    return 0;
}

int fdatasync(int fd)
{
    count_sync(fd);
    return 0;
}

/* Checkpoints, and what happens meanwhile. */
static struct store *checkpointed; /* NULL: they are not looked at */
static atomic_bool fails;          /* each of them */
static atomic_bool commits_before; /* one of them, once */
static atomic_bool commits_after;  /* one that has copied a long WAL, once */
static atomic_bool commits_much;   /* each that has copied a long WAL: LARGE_BYTES */
static atomic_int n_checkpoints;
static atomic_int n_restarts;
static atomic_int n_needless; /* that begin when all is copied, and commits are not excluded */
static atomic_int n_copying;  /* of the WAL, while commits are excluded */
static atomic_int n_large;    /* of these, that copy LARGE_BYTES */

static void change_stock(struct store *store, int64_t quantity);
static void write_much(struct store *store);

/* Reads the WAL's index: how many pages it has, and how many of them are copied. */
static void read_index(uint32_t *pages, uint32_t *copied)
{
    char index[sizeof file + 8];
    int fd;

    snprintf(index, sizeof index, "%s-shm", file);
    fd = open(index, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, pages, sizeof *pages, WAL_PAGES_AT), sizeof *pages);
    ck_assert_int_eq(pread(fd, copied, sizeof *copied, WAL_COPIED_AT), sizeof *copied);
    close(fd);
}

static void look_before(int mode)
{
    uint32_t pages;
    uint32_t copied;

    if (mode == SQLITE_CHECKPOINT_PASSIVE && atomic_exchange(&commits_before, false))
        change_stock(checkpointed, 1);
    read_index(&pages, &copied);
    if (mode == SQLITE_CHECKPOINT_PASSIVE)
        atomic_fetch_add(&n_needless, pages == copied);
    else
        atomic_fetch_add(&n_copying, pages != copied);
    if (mode != SQLITE_CHECKPOINT_PASSIVE && pages - copied >= LARGE_PAGES)
        atomic_fetch_add(&n_large, 1);
}

/* The backend calls this in place of SQLite's own. */
int sqlite3_wal_checkpoint_v2(sqlite3 *db, const char *name, int mode, int *pages, int *copied)
{
    int (*original)(sqlite3 *, const char *, int, int *, int *);
    int code;

    *(void **)&original = dlsym(RTLD_NEXT, "sqlite3_wal_checkpoint_v2");
    if (checkpointed == NULL)
        return original(db, name, mode, pages, copied);
    if (atomic_load(&fails)) {
        atomic_fetch_add(&n_checkpoints, 1);
        return SQLITE_IOERR;
    }
    look_before(mode);
    code = original(db, name, mode, pages, copied);
    if (mode == SQLITE_CHECKPOINT_PASSIVE && *pages >= WAL_LONG && *pages == *copied &&
        atomic_exchange(&commits_after, false))
        change_stock(checkpointed, 1);
    if (mode == SQLITE_CHECKPOINT_PASSIVE && *pages >= WAL_LONG && *pages == *copied &&
        atomic_load(&commits_much))
        write_much(checkpointed);
    atomic_fetch_add(mode == SQLITE_CHECKPOINT_PASSIVE ? &n_checkpoints : &n_restarts, 1);
    return code;
}

static bool count_sleeps(void)
{
    counting = *sqlite3_vfs_find(NULL);
    counting.zName = "counting";
    counting.xSleep = count_sleep;
    test_thread = pthread_self();
    return sqlite3_vfs_register(&counting, 1) == SQLITE_OK;
}

static void remove_folder(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char path[sizeof file + 8];

    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        unlink(path);
    }
    rmdir(folder);
}

static struct store *open_store(void)
{
    char problem[256] = "";
    struct store *store = store_open(file, N_THREADS, problem, sizeof problem);

    ck_assert_msg(store != NULL, "%s", problem);
    return store;
}

/* In another process, because a process's own locks do not exclude each other. */
static void lock_and_wait(int ready)
{
    char index[sizeof file + 8];
    struct flock lock = {.l_type = F_WRLCK,
                         .l_whence = SEEK_SET,
                         .l_start = FIRST_READ_LOCK,
                         .l_len = N_READ_LOCKS};
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(index, sizeof index, "%s-shm", file);
    fd = open(index, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || write(ready, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* Ends when it is killed. */
static pid_t start_foreign_lock(void)
{
    int ends[2];
    char byte;
    pid_t child;

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0)
        lock_and_wait(ends[1]);
    ck_assert_int_gt(child, 0);
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return child;
}

static enum store_result list_orders(struct store *store)
{
    struct store *reader;
    enum store_result result = store_begin_read(store, &reader);
    cJSON *orders = NULL;
    bool has_more;

    if (result != STORE_OK)
        return result;
    result = store_order_list(reader, 10, INT64_MAX, &orders, &has_more);
    store_end(reader);
    cJSON_Delete(orders);
    return result;
}

static enum store_result write_nothing(struct store *store)
{
    enum store_result result = store_begin(store, STORE_WRITE);

    if (result == STORE_OK)
        store_end(store);
    return result;
}

START_TEST(a_lock_on_the_index_is_not_waited_for)
{
    struct store *store = open_store();
    pid_t child;

    ck_assert_int_eq(list_orders(store), STORE_OK);
    child = start_foreign_lock();
    n_sleeps = 0;
    ck_assert_int_eq(list_orders(store), STORE_BUSY);
    ck_assert_int_eq(write_nothing(store), STORE_BUSY);
    ck_assert_int_eq(n_sleeps, 0);

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(list_orders(store), STORE_OK);
    ck_assert_int_eq(write_nothing(store), STORE_OK);
    store_close(store);
}
END_TEST

/* Another process may be creating the tables. */
START_TEST(at_the_start_a_lock_is_waited_for)
{
    char problem[256] = "";
    struct store *store = open_store();
    pid_t child = start_foreign_lock();

    n_sleeps = 0;
    ck_assert_ptr_null(store_open(file, N_THREADS, problem, sizeof problem));
    ck_assert_int_gt(n_sleeps, 0);

    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    store_close(store);
}
END_TEST

static int count_clients(struct store *store)
{
    struct store *reader;
    cJSON *clients = NULL;
    bool has_more;
    int count;

    ck_assert_int_eq(store_begin_read(store, &reader), STORE_OK);
    ck_assert_int_eq(store_client_list(reader, 100, 0, &clients, &has_more), STORE_OK);
    store_end(reader);
    count = cJSON_GetArraySize(clients);
    cJSON_Delete(clients);
    return count;
}

static void add_client(struct store *store, const char *email)
{
    struct client_draft draft = {.name = "n", .email = email};
    int64_t id;

    ck_assert_int_eq(store_client_create(store, &draft, &id), STORE_OK);
}

/* It would wait for itself here. */
START_TEST(a_reader_does_not_wait_for_a_writer)
{
    struct store *store = open_store();
    int before = count_clients(store);

    ck_assert_int_eq(store_begin(store, STORE_WRITE), STORE_OK);
    add_client(store, "one@example.com");
    ck_assert_int_eq(count_clients(store), before);
    ck_assert_int_eq(store_commit(store), STORE_OK);
    ck_assert_int_eq(count_clients(store), before + 1);
    store_end(store);
    store_close(store);
}
END_TEST

START_TEST(a_writer_does_not_wait_for_a_reader)
{
    struct store *store = open_store();
    struct store *reader;

    ck_assert_int_eq(store_begin_read(store, &reader), STORE_OK);
    ck_assert_int_eq(write_nothing(store), STORE_OK);
    store_end(reader);
    store_close(store);
}
END_TEST

START_TEST(an_attempt_does_not_wait_for_a_writer)
{
    struct store *store = open_store();

    ck_assert_int_eq(store_begin(store, STORE_WRITE), STORE_OK);
    ck_assert_int_eq(store_try_begin(store, STORE_WRITE), STORE_TAKEN);
    ck_assert_int_eq(store_try_begin(store, STORE_READ), STORE_TAKEN);
    store_end(store);
    ck_assert_int_eq(store_try_begin(store, STORE_WRITE), STORE_OK);
    store_end(store);
    store_close(store);
}
END_TEST

static void change_stock(struct store *store, int64_t quantity)
{
    struct stock_update update = {quantity, -1, -1, NULL};
    struct stock_changes changes = {.count = 0};

    ck_assert_int_eq(store_begin(store, STORE_WRITE), STORE_OK);
    ck_assert_int_eq(store_stock_update(store, "WIDGET-1", &update, &changes), STORE_OK);
    ck_assert_int_eq(store_commit(store), STORE_OK);
    store_end(store);
}

static void *read_often(void *store)
{
    for (int i = 0; i < N_ROUNDS; i++)
        ck_assert_int_eq(list_orders(store), STORE_OK);
    return NULL;
}

/* They lock the WAL's index for moments. No call fails because the database is busy. */
START_TEST(threads_read_while_one_writes)
{
    struct store *store = open_store();
    pthread_t threads[N_THREADS];

    for (int i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, read_often, store), 0);
    for (int i = 0; i < N_ROUNDS; i++)
        change_stock(store, i);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(store_failures(store), 0);
    store_close(store);
}
END_TEST

/* A sync of the database may take long, and so may the copy before it. */
START_TEST(no_transaction_makes_a_checkpoint)
{
    struct store *store = open_store();

    atomic_store(&n_syncs_here, 0);
    atomic_store(&n_syncs_elsewhere, 0);
    for (int i = 0; i < N_ROUNDS || atomic_load(&n_syncs_elsewhere) < 3; i++)
        change_stock(store, i % 1000);
    ck_assert_int_eq(atomic_load(&n_syncs_here), 0);
    store_close(store);
}
END_TEST

/* SQLite before 3.51.3 may corrupt the database by it. */
START_TEST(no_checkpoint_begins_when_all_is_copied)
{
    struct store *store = open_store();

    atomic_store(&n_checkpoints, 0);
    atomic_store(&n_needless, 0);
    atomic_store(&commits_before, true);
    checkpointed = store;
    for (int i = 0; atomic_load(&n_checkpoints) == 0; i++)
        if (atomic_load(&commits_before))
            change_stock(store, i % 1000);
    usleep(300000); /* for one too many */
    store_close(store);
    checkpointed = NULL;
    ck_assert_int_eq(atomic_load(&n_needless), 0);
}
END_TEST

/* Those that commit wait for it. There is always one that reads, as the WAL would begin anew by
 * itself without. */
START_TEST(nothing_is_copied_while_the_wal_begins_anew)
{
    struct store *store = open_store();
    struct store *reader;
    struct store *next;

    atomic_store(&n_restarts, 0);
    atomic_store(&n_copying, 0);
    atomic_store(&commits_after, true);
    checkpointed = store;
    ck_assert_int_eq(store_begin_read(store, &reader), STORE_OK);
    for (int i = 0; atomic_load(&n_restarts) == 0; i++) {
        change_stock(store, i % 1000);
        ck_assert_int_eq(store_begin_read(store, &next), STORE_OK);
        ck_assert_ptr_ne(next, store);
        store_end(reader);
        reader = next;
        if (!atomic_load(&commits_after))
            usleep(10000);
    }
    store_end(reader);
    store_close(store);
    checkpointed = NULL;
    ck_assert_int_eq(atomic_load(&n_copying), 0);
}
END_TEST

/* In place of what was written so before. */
static void write_much(struct store *store)
{
    char *data = calloc(LARGE_BYTES + 1, 1);
    const struct outbox_row row = {.producer = "p", .type = "t", .data = data};

    ck_assert_ptr_nonnull(data);
    memset(data, '1', LARGE_BYTES);
    ck_assert_int_eq(store_begin(store, STORE_WRITE), STORE_OK);
    ck_assert_int_eq(store_outbox_delete(store, "much", 0, INT64_MAX), STORE_OK);
    ck_assert_int_eq(store_outbox_add(store, "much", &row), STORE_OK);
    ck_assert_int_eq(store_commit(store), STORE_OK);
    store_end(store);
    free(data);
}

/* There is always one that reads, and as much is committed during each copy. */
START_TEST(a_wal_that_is_too_long_begins_anew_when_little_is_left)
{
    struct store *store = open_store();
    struct store *reader;
    struct store *next;
    uint32_t pages = 0;
    uint32_t copied;

    atomic_store(&n_restarts, 0);
    atomic_store(&n_large, 0);
    atomic_store(&commits_much, true);
    checkpointed = store;
    ck_assert_int_eq(store_begin_read(store, &reader), STORE_OK);
    while (pages < WAL_TOO_LONG + 4 * LARGE_PAGES && atomic_load(&n_restarts) == 0) {
        write_much(store);
        ck_assert_int_eq(store_begin_read(store, &next), STORE_OK);
        ck_assert_ptr_ne(next, store);
        store_end(reader);
        reader = next;
        read_index(&pages, &copied);
    }
    store_end(reader);
    atomic_store(&commits_much, false);
    while (atomic_load(&n_restarts) == 0) {
        change_stock(store, 1);
        usleep(10000);
    }
    store_close(store);
    checkpointed = NULL;
    ck_assert_int_eq(atomic_load(&n_large), 0);
}
END_TEST

START_TEST(a_checkpoint_that_fails_is_counted)
{
    struct store *store = open_store();

    atomic_store(&n_checkpoints, 0);
    atomic_store(&fails, true);
    checkpointed = store;
    for (int i = 0; atomic_load(&n_checkpoints) < 2; i++)
        change_stock(store, i % 1000);
    ck_assert_uint_gt(store_failures(store), 0);
    store_close(store);
    checkpointed = NULL;
    atomic_store(&fails, false);
}
END_TEST

static bool count_row(const struct outbox_row *row, void *user_data)
{
    (void)row;
    ++*(int *)user_data;
    return true;
}

/* What was deleted before is not searched for rows again, however many other nodes have there. */
START_TEST(deleting_from_the_outbox_begins_where_it_ended)
{
    const struct outbox_row row = {.producer = "p", .type = "t", .data = "1"};
    struct store *store = open_store();
    size_t count;
    int left = 0;

    ck_assert_int_eq(store_begin(store, STORE_WRITE), STORE_OK);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(store_outbox_add(store, "n", &row), STORE_OK);
    ck_assert_int_eq(store_outbox_delete(store, "n", 1, 3), STORE_OK);
    ck_assert_int_eq(store_outbox_list(store, "n", 0, 10, count_row, &left, &count), STORE_OK);
    ck_assert_int_eq(left, 2);
    store_end(store);
    store_close(store);
}
END_TEST

/* Such a database exists in one connection only. */
START_TEST(a_database_in_memory_is_read_where_it_is_written)
{
    char problem[256] = "";
    struct store *store = store_open(":memory:", 2, problem, sizeof problem);
    int before;

    ck_assert_msg(store != NULL, "%s", problem);
    before = count_clients(store);
    ck_assert_int_eq(store_begin(store, STORE_WRITE), STORE_OK);
    add_client(store, "one@example.com");
    ck_assert_int_eq(store_commit(store), STORE_OK);
    store_end(store);
    ck_assert_int_eq(count_clients(store), before + 1);
    store_close(store);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_lock_on_the_index_is_not_waited_for,
                                  at_the_start_a_lock_is_waited_for,
                                  a_reader_does_not_wait_for_a_writer,
                                  a_writer_does_not_wait_for_a_reader,
                                  an_attempt_does_not_wait_for_a_writer,
                                  threads_read_while_one_writes,
                                  no_transaction_makes_a_checkpoint,
                                  no_checkpoint_begins_when_all_is_copied,
                                  nothing_is_copied_while_the_wal_begins_anew,
                                  a_checkpoint_that_fails_is_counted,
                                  deleting_from_the_outbox_begins_where_it_ended,
                                  a_wal_that_is_too_long_begins_anew_when_little_is_left,
                                  a_database_in_memory_is_read_where_it_is_written,
                                  NULL};
    int status;

    log_set_level(-1);
    if (!count_sleeps() || mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    snprintf(file, sizeof file, "%s/db", folder);
    status = suite_run("store", tests);
    remove_folder();
    return status;
}
