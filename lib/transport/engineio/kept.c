/* kept.c: the sessions of an endpoint that their clients may recover. */
#include "transport/engineio/kept.h"

#include <string.h>

#include <openssl/rand.h>

#include "base/name_table.h"

struct entry;

/* An entry's place in the table by connections. */
struct by_connection {
    struct name_node node;
    struct entry *entry;
    uint8_t length;
    char name[sizeof(ws_conn_id)];
};

struct entry {
    struct name_node node;
    uint8_t key_length;
    char key[PID_KEY];
    ws_conn_id connection; /* which the session is on; 0: it has ended */
    struct by_connection by_connection;
    struct entry *next; /* of the ended ones, the oldest first; or of the excess */
    struct entry *previous;
    uint64_t until_ms; /* on the host's clock */
    uint64_t rank;
    bool is_remembered; /* by a cluster's carrier: there is no record */
    char *record;       /* NULL: there is none now */
    size_t length;
};

struct kept {
    ws_manager *manager;
    struct kept_limits limits;
    struct name_table by_key;
    struct name_table by_connection;
    struct entry *first;
    struct entry *last;
    struct entry *excess; /* remembered ones, in no table, that the carrier is to forget */
    size_t n_ended;
    uint64_t bytes; /* of the ended ones */
    uint8_t table_secret[NAME_TABLE_SECRET];
    uint8_t pid_secret[PID_SECRET];
};

struct kept *kept_new(ws_manager *manager, const struct kept_limits *limits)
{
    struct kept *kept = memory_zalloc(&manager->memory, sizeof *kept);

    if (kept == NULL)
        return NULL;
    if (!pid_draw_secret(kept->pid_secret) ||
        RAND_bytes(kept->table_secret, sizeof kept->table_secret) != 1) {
        memory_free(&manager->memory, kept);
        return NULL;
    }
    kept->manager = manager;
    kept->limits = *limits;
    name_table_init(&kept->by_key, &manager->memory, kept->table_secret,
                    offsetof(struct entry, key_length));
    name_table_init(&kept->by_connection, &manager->memory, kept->table_secret,
                    offsetof(struct by_connection, length));
    return kept;
}

const uint8_t *kept_secret(const struct kept *kept)
{
    return kept->pid_secret;
}

/* --- entries; the manager's lock is held ------------------------------------------------------ */

static struct entry *find(const struct kept *kept, const uint8_t key[PID_KEY])
{
    manager_assert_locked(kept->manager);
    return name_table_find(&kept->by_key, (const char *)key, PID_KEY);
}

static uint64_t size_of(const struct entry *entry)
{
    return sizeof *entry + entry->length;
}

static void list(struct kept *kept, struct entry *entry)
{
    entry->previous = kept->last;
    entry->next = NULL;
    *(kept->last != NULL ? &kept->last->next : &kept->first) = entry;
    kept->last = entry;
    kept->n_ended++;
    kept->bytes += size_of(entry);
}

static void unlist(struct kept *kept, struct entry *entry)
{
    *(entry->previous != NULL ? &entry->previous->next : &kept->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &kept->last) = entry->previous;
    kept->n_ended--;
    kept->bytes -= size_of(entry);
}

/* Takes the entry from its list, or from its connection: it is on neither. */
static void detach(struct kept *kept, struct entry *entry)
{
    if (entry->connection == 0)
        unlist(kept, entry);
    else
        name_table_remove(&kept->by_connection, &entry->by_connection);
    entry->connection = 0;
}

static void free_entry(const struct kept *kept, struct entry *entry)
{
    const ws_allocator *memory = &kept->manager->memory;

    memory_free(memory, entry->record);
    memory_free(memory, entry);
}

static void drop(struct kept *kept, struct entry *entry)
{
    detach(kept, entry);
    name_table_remove(&kept->by_key, entry);
    free_entry(kept, entry);
}

/* Drops an ended entry because there are too many. */
static void drop_excess(struct kept *kept, struct entry *entry)
{
    if (!entry->is_remembered) {
        drop(kept, entry);
        return;
    }
    detach(kept, entry);
    name_table_remove(&kept->by_key, entry);
    entry->next = kept->excess;
    kept->excess = entry;
}

static bool has_too_many(const struct kept *kept)
{
    return kept->n_ended > kept->limits.max_sessions || kept->bytes > kept->limits.max_bytes;
}

/* After a crowd has ended, thousands of entries are out of date in one moment. Each call drops some
 * of them, and more than it may add. The limits hold after each call: what it has added is as large
 * as a few hundred entries at most. */
static void drop_old(struct kept *kept, uint64_t now_ms)
{
    enum { OUTDATED_AT_ONCE = 16 };

    manager_assert_locked(kept->manager);
    while (kept->first != NULL && has_too_many(kept))
        drop_excess(kept, kept->first);
    for (int i = 0; i < OUTDATED_AT_ONCE; i++)
        if (kept->first != NULL && kept->first->until_ms <= now_ms)
            drop(kept, kept->first);
}

/* Whether its time is over, although it was not dropped yet. */
static bool is_outdated(const struct entry *entry, uint64_t now_ms)
{
    return entry->connection == 0 && entry->until_ms <= now_ms;
}

/* Makes an entry that is on no list; NULL if memory ran out. */
static struct entry *add(struct kept *kept, const uint8_t key[PID_KEY])
{
    struct entry *entry = memory_zalloc(&kept->manager->memory, sizeof *entry);

    manager_assert_locked(kept->manager);
    if (entry == NULL)
        return NULL;
    entry->key_length = PID_KEY;
    memcpy(entry->key, key, PID_KEY);
    if (name_table_add(&kept->by_key, entry))
        return entry;
    memory_free(&kept->manager->memory, entry);
    return NULL;
}

/* Puts a detached entry on a connection; false, and the entry is freed, if memory ran out. */
static bool attach(struct kept *kept, struct entry *entry, ws_conn_id connection)
{
    struct by_connection *place = &entry->by_connection;

    place->entry = entry;
    place->length = sizeof place->name;
    memcpy(place->name, &connection, sizeof place->name);
    if (name_table_add(&kept->by_connection, place)) {
        entry->connection = connection;
        return true;
    }
    name_table_remove(&kept->by_key, entry);
    free_entry(kept, entry);
    return false;
}

static struct entry *of_connection(const struct kept *kept, ws_conn_id connection)
{
    struct by_connection *place =
        name_table_find(&kept->by_connection, (const char *)&connection, sizeof connection);

    manager_assert_locked(kept->manager);
    return place != NULL ? place->entry : NULL;
}

static void set_record(struct kept *kept, struct entry *entry, char *record, size_t length)
{
    memory_free(&kept->manager->memory, entry->record);
    entry->record = record;
    entry->length = record != NULL ? length : 0;
}

void kept_free(struct kept *kept)
{
    struct name_node *node;

    if (kept == NULL)
        return;
    name_table_take_all(&kept->by_connection);
    node = name_table_take_all(&kept->by_key);
    while (node != NULL) {
        struct entry *entry = (struct entry *)node;

        node = node->next;
        free_entry(kept, entry);
    }
    while (kept->excess != NULL) {
        struct entry *entry = kept->excess;

        kept->excess = entry->next;
        free_entry(kept, entry);
    }
    name_table_free(&kept->by_key);
    name_table_free(&kept->by_connection);
    memory_free(&kept->manager->memory, kept);
}

/* --- sessions --------------------------------------------------------------------------------- */

bool kept_find(struct kept *kept, const uint8_t key[PID_KEY], uint64_t now_ms,
               struct buffer *record, ws_conn_id *connection)
{
    struct entry *entry;

    manager_lock(kept->manager);
    drop_old(kept, now_ms);
    entry = find(kept, key);
    if (entry != NULL && is_outdated(entry, now_ms)) {
        drop(kept, entry);
        entry = NULL;
    }
    if (entry != NULL) {
        *connection = entry->connection;
        buffer_add(record, entry->record, entry->length);
    }
    manager_unlock(kept->manager);
    return entry != NULL;
}

bool kept_adopt(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
                uint64_t rank)
{
    struct entry *entry;
    bool is_attached = false;

    manager_lock(kept->manager);
    entry = find(kept, key);
    if (entry != NULL)
        detach(kept, entry);
    else
        entry = add(kept, key);
    if (entry != NULL) {
        entry->rank = rank;
        is_attached = attach(kept, entry, connection);
    }
    manager_unlock(kept->manager);
    return is_attached;
}

void kept_settle(struct kept *kept, ws_conn_id connection)
{
    struct entry *entry;

    manager_lock(kept->manager);
    entry = of_connection(kept, connection);
    if (entry != NULL)
        set_record(kept, entry, NULL, 0);
    manager_unlock(kept->manager);
}

bool kept_key_of(struct kept *kept, ws_conn_id connection, uint8_t key[PID_KEY], uint64_t *rank)
{
    const struct entry *entry;

    manager_lock(kept->manager);
    entry = of_connection(kept, connection);
    if (entry != NULL) {
        memcpy(key, entry->key, PID_KEY);
        *rank = entry->rank;
    }
    manager_unlock(kept->manager);
    return entry != NULL;
}

/* The entry of a session whose connection ends, detached; NULL if the session is on another
 * connection, or if memory ran out. */
static struct entry *take(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection)
{
    struct entry *entry = find(kept, key);

    manager_assert_locked(kept->manager);
    if (entry == NULL)
        return add(kept, key);
    if (entry->connection != connection)
        return NULL;
    detach(kept, entry);
    return entry;
}

/* The lock is held. */
static void end(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
                char **record, size_t length, uint64_t now_ms)
{
    struct entry *entry = take(kept, key, connection);

    if (entry == NULL)
        return;
    if (*record != NULL)
        set_record(kept, entry, *record, length);
    *record = NULL;
    entry->until_ms = now_ms + kept->limits.recovery_ms;
    list(kept, entry);
    if (entry->record == NULL)
        drop(kept, entry);
    drop_old(kept, now_ms);
}

void kept_end(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
              struct buffer *record, uint64_t now_ms)
{
    size_t length = 0;
    char *text = record != NULL ? buffer_take(record, &length) : NULL;

    manager_lock(kept->manager);
    end(kept, key, connection, &text, length, now_ms);
    manager_unlock(kept->manager);
    memory_free(&kept->manager->memory, text);
}

void kept_end_remembered(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection,
                         uint64_t rank, uint64_t now_ms)
{
    struct entry *entry;

    manager_lock(kept->manager);
    entry = take(kept, key, connection);
    if (entry != NULL) {
        set_record(kept, entry, NULL, 0);
        entry->is_remembered = true;
        entry->rank = rank;
        entry->until_ms = now_ms + (uint64_t)kept->limits.recovery_ms * KEPT_LIFETIMES;
        list(kept, entry);
        drop_old(kept, now_ms);
    }
    manager_unlock(kept->manager);
}

bool kept_take_excess(struct kept *kept, uint8_t key[PID_KEY], uint64_t *rank)
{
    struct entry *entry;

    manager_lock(kept->manager);
    entry = kept->excess;
    if (entry != NULL) {
        kept->excess = entry->next;
        memcpy(key, entry->key, PID_KEY);
        *rank = entry->rank;
        free_entry(kept, entry);
    }
    manager_unlock(kept->manager);
    return entry != NULL;
}

void kept_forget(struct kept *kept, const uint8_t key[PID_KEY], ws_conn_id connection)
{
    struct entry *entry;

    manager_lock(kept->manager);
    entry = find(kept, key);
    if (entry != NULL && (entry->connection == 0 || entry->connection == connection))
        drop(kept, entry);
    manager_unlock(kept->manager);
}
