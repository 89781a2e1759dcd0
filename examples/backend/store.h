/* store.h: orders, clients and inventory in SQLite, as transactions and rows.
 * Rows are read as JSON trees; the API checks requests. */
#ifndef BACKEND_STORE_H
#define BACKEND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum {
    SKU_MAX_CHARACTERS = 64,
    SKU_MAX_BYTES = 4 * SKU_MAX_CHARACTERS, /* in UTF-8 */
    ORDER_MAX_LINES = 100,
    ORDER_MAX_QUANTITY = 1000000,
    STORE_LIST_ROWS = 2000, /* of a list, including the lines of its orders; takes some 10 ms */
    STOCK_MAX_QUANTITY = 1000000000,
    PRICE_MAX_CENTS = 10000000 /* keeps an order's total below 2^53, exact in JSON */
};

enum store_result {
    STORE_OK,
    STORE_NOT_FOUND,
    STORE_UNKNOWN_CLIENT,
    STORE_UNKNOWN_SKU,
    STORE_INSUFFICIENT_STOCK,
    STORE_INVALID_STATUS,     /* the order is no longer pending */
    STORE_INVALID_TRANSITION, /* the order's status cannot change to that one */
    STORE_DUPLICATE_EMAIL,
    STORE_TAKEN,  /* another thread of this process has a transaction; try later */
    STORE_BUSY,   /* another process has locked the database; try later */
    STORE_FULL,   /* nothing can be written, as on a full disk; try later */
    STORE_MEMORY, /* out of memory */
    STORE_FAILED  /* the database failed; the log says how */
};

struct store;

/* Opens the database; creates and fills it if it is new, readable by this user only. `n_readers`
 * threads can read at the same time without waiting for one that writes, except in a database in
 * memory. NULL with a line in `problem`. Call it before there are threads. */
struct store *store_open(const char *file, uint32_t n_readers, char *problem,
                         size_t problem_size);

void store_close(struct store *store);

/* How often the database failed, was busy or full. Any thread. */
uint64_t store_failures(const struct store *store);

/* --- transactions -------------------------------------------------------------------- */

enum store_access { STORE_READ, STORE_WRITE };

/* Starts a transaction. Waits for this process's own threads, never for another's lock. On STORE_OK
 * the store belongs to this thread until store_end(): what is done between store_commit() and
 * store_end() happens in the order of the commits. All functions below need a transaction. */
enum store_result store_begin(struct store *store, enum store_access access);

/* Does what store_begin() does, but returns STORE_TAKEN instead of waiting for another thread. */
enum store_result store_try_begin(struct store *store, enum store_access access);

/* Starts a transaction that only reads, and sees all that is committed. It does not wait for other
 * threads, except in a database in memory or if more of them read than store_open() was told. On
 * STORE_OK, *reader takes the place of the store in the functions below, until store_end(). */
enum store_result store_begin_read(struct store *store, struct store **reader);

enum store_result store_commit(struct store *store);

/* Undoes what was not committed, and lets the next thread in. */
void store_end(struct store *store);

/* --- inventory ----------------------------------------------------------------------- */

struct stock_update {
    int64_t quantity; /* this and those below: -1, or NULL, leaves the value as it is */
    int64_t low_stock_threshold;
    int64_t price_cents;
    const char *name;
};

/* How an item's stock changed in this transaction. */
struct stock_change {
    char sku[SKU_MAX_BYTES + 1];
    bool fell; /* or its threshold was raised */
};

struct stock_changes {
    struct stock_change list[2 * ORDER_MAX_LINES];
    size_t count;
};

enum store_result store_stock_get(struct store *store, const char *sku, cJSON **item);

/* At most `limit` items whose SKU is above `after`, in the order of SKUs. */
enum store_result store_stock_list(struct store *store, int64_t limit, const char *after,
                                   cJSON **items, bool *has_more);
enum store_result store_stock_update(struct store *store, const char *sku,
                                     const struct stock_update *update,
                                     struct stock_changes *changes);

/* --- clients ------------------------------------------------------------------------- */

struct client_draft {
    const char *name;
    const char *email;
    const char *phone; /* NULL: none */
};

enum store_result store_client_get(struct store *store, int64_t id, cJSON **client);

/* At most `limit` clients with ids above `after`, in the order of ids. */
enum store_result store_client_list(struct store *store, int64_t limit, int64_t after,
                                    cJSON **clients, bool *has_more);
enum store_result store_client_create(struct store *store, const struct client_draft *draft,
                                      int64_t *id);
enum store_result store_client_update(struct store *store, int64_t id,
                                      const struct client_draft *draft);

/* --- orders -------------------------------------------------------------------------- */

struct order_line {
    const char *sku;
    int64_t quantity;
};

/* For an update, a client of 0 or a count of 0 leaves that part as it is. */
struct order_draft {
    int64_t client_id;
    struct order_line lines[ORDER_MAX_LINES]; /* each SKU once */
    size_t n_lines;
};

/* On STORE_UNKNOWN_SKU and STORE_INSUFFICIENT_STOCK, *bad_line is the line's index. */
enum store_result store_order_create(struct store *store, const struct order_draft *draft,
                                     int64_t *id, struct stock_changes *changes,
                                     size_t *bad_line);
enum store_result store_order_update(struct store *store, int64_t id,
                                     const struct order_draft *draft,
                                     struct stock_changes *changes, size_t *bad_line);

/* *old_status is static. A cancelled order's stock returns. */
enum store_result store_order_set_status(struct store *store, int64_t id, const char *status,
                                         const char **old_status,
                                         struct stock_changes *changes);

/* True for the five names of an order's status. */
bool store_is_order_status(const char *status);

enum store_result store_order_get(struct store *store, int64_t id, cJSON **order);

/* At most `limit` orders with ids below `before`, newest first, or fewer if they have many lines
 * (STORE_LIST_ROWS). */
enum store_result store_order_list(struct store *store, int64_t limit, int64_t before,
                                   cJSON **orders, bool *has_more);

/* --- outbox -------------------------------------------------------------------------- */

/* An event on its way. */
struct outbox_row {
    int64_t id;           /* ascending */
    const char *producer; /* the process that made it; with `id`, its number in the stream */
    const char *type;
    const char *user_id; /* NULL: the recipients of its type */
    const char *key;     /* what it is about; NULL: nothing that has a name */
    const char *data;    /* JSON */
    size_t length;
};

/* `node` names the processes, one after the other, whose events these are. row->id and
 * row->length are ignored. */
enum store_result store_outbox_add(struct store *store, const char *node,
                                   const struct outbox_row *row);

/* Calls `take` for at most `limit` rows with ids above `after`, in order, until it returns false;
 * *count is how many it took. Rows are valid during the call. */
enum store_result store_outbox_list(struct store *store, const char *node, int64_t after,
                                    size_t limit,
                                    bool (*take)(const struct outbox_row *row, void *user_data),
                                    void *user_data, size_t *count);

/* Counts the rows of other nodes. `name` receives that of one of them, as far as it fits. */
enum store_result store_outbox_of_others(struct store *store, const char *node, int64_t *count,
                                         char *name, size_t size);

/* Deletes the rows with ids above `after`, up to `up_to`. It scans those of all nodes between them,
 * so `after` is what was deleted before. */
enum store_result store_outbox_delete(struct store *store, const char *node, int64_t after,
                                      int64_t up_to);

#endif
