/* last_values.h: what rooms keep for those who enter them: the last value for each key, and the
 * newest events. Rules say which rooms keep what. Each rule has a line for each room, and a line
 * has its values in the order of their positions.
 * Not here: what is kept for clients that were away (history.h), the marks in the kept text
 * (sending/keep.h), and who receives the values (recovery/entry.h).
 *
 * Guarded by the manager's lock, except where noted. */
#ifndef WS_CORE_EVENTS_LAST_VALUES_H
#define WS_CORE_EVENTS_LAST_VALUES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "core/events/message.h"

enum { LAST_VALUES_RULES_MAX = 64, LAST_VALUES_MAX = 100000 };

/* For whom a rule keeps events: for clients that ask for the state, or for the newest events. */
enum last_values_use { KEPT_STATE, KEPT_HISTORY, N_KEPT_USES };

struct kept_line;

/* A kept event. */
struct kept_value {
    struct name_node node; /* in its line's keys, if its rule is by key */
    struct kept_line *line;
    struct kept_value *older; /* of the same line */
    struct kept_value *newer;
    struct kept_value *older_of_all;
    struct kept_value *newer_of_all;
    ws_message *message; /* one reference */
    size_t counted;      /* its part of last_values.bytes */
    uint8_t name_length; /* right before the key (name_table.h) */
    char key[];          /* NUL-terminated */
};

/* What one rule keeps of one room, the oldest first. */
struct kept_line {
    struct name_node node;
    struct kept_rule *rule;
    struct name_table keys;
    struct kept_value *first;
    struct kept_value *last;
    uint32_t count;
    uint64_t bytes;  /* without forms: the room has the same values in all processes */
    uint64_t before; /* every kept event of the room with a higher position is here */
    uint8_t name_length;
    char name[];
};

struct kept_rule {
    uint8_t use;    /* enum last_values_use */
    uint8_t number; /* in last_values.rules */
    bool by_key;    /* one value for each key; events without a key are not kept */
    uint32_t max_values;
    uint64_t max_bytes; /* 0: no limit */
    char *room;         /* NULL: every room; owned, as is `type` */
    char *type;         /* NULL: every type */
};

/* What a rule keeps, of all rooms. */
struct kept_lines {
    struct name_table rooms;
    uint64_t before; /* of rooms without a line, as kept_line.before */
};

struct last_values {
    const ws_allocator *memory;
    const uint8_t *secret;
    uint64_t max_bytes; /* of all rooms together; 0: no limit */
    uint64_t bytes; /* of these, with the forms that were made of the messages for clients */
    uint64_t count;
    uint64_t n_dropped; /* values that the limits pushed out */
    struct kept_value *first;
    struct kept_value *last;
    struct kept_value *hand; /* to be counted anew next; NULL: the first */
    struct last_values_reader *readers;
    struct kept_rule *rules[LAST_VALUES_RULES_MAX]; /* never changed once counted */
    struct kept_lines *lines[LAST_VALUES_RULES_MAX];
    _Atomic uint32_t n_rules; /* read by any thread */
};

void last_values_init(struct last_values *values, const ws_allocator *memory,
                      const uint8_t *secret);
void last_values_free(struct last_values *values);

/* Drops all values. Events up to position `before` are not kept. */
void last_values_reset(struct last_values *values, uint64_t before);

/* Adds a rule whose texts are copied: events up to position `before` are not kept by it. Errors:
 * WS_ERR_LIMIT, WS_ERR_NO_MEMORY. */
int last_values_add_rule(struct last_values *values, const struct kept_rule *rule,
                         uint64_t before);

/* --- in place of others ---------------------------------------------------------------------- */

/* Makes empty values with the same rules and limits, which keep no events up to position `before`.
 * One thread fills them, without the lock. last_values_end_copy() must follow. False if memory ran
 * out: nothing was made. Any thread, without the lock. */
bool last_values_begin_copy(const struct last_values *values, struct last_values *copy,
                            uint64_t before);

/* Exchanges what is kept with what the copy has kept up to position `until`. A rule that was added
 * since keeps only later events. */
void last_values_exchange(struct last_values *values, struct last_values *copy, uint64_t until);

/* Frees what the copy keeps. Any thread, without the lock. */
void last_values_end_copy(struct last_values *copy);

/* --- keeping an event ------------------------------------------------------------------------ */

/* What an event will change, by use. Made without the lock, from the first rule of each use that
 * matches. */
struct kept_change {
    struct kept_rule *rule;   /* NULL: no change */
    struct kept_value *value; /* to be kept, owned; NULL: the value of `key` is removed */
    struct kept_line *line;   /* set by last_values_reserve() */
    char *key;                /* owned; NULL: none */
};

struct kept_plan {
    struct kept_change changes[N_KEPT_USES];
};

/* The first rule of a use that matches; NULL: none. `type` NULL matches every rule's type. Any
 * thread, without the lock. */
struct kept_rule *last_values_match(const struct last_values *values, enum last_values_use use,
                                    const char *room, const char *type);

/* Makes a value with a message, of which it takes over the reference; NULL if memory ran out. Any
 * thread. `key` may be NULL. */
struct kept_value *kept_value_new(const ws_allocator *memory, const char *key,
                                  ws_message *message);

/* The bytes that a value with this message counts. `key` may be NULL. */
size_t kept_value_cost(const char *key, const ws_message *message);

/* Reserves what the plan needs, so that last_values_commit() cannot fail. False if memory ran out.
 * One of the last two must follow, before the lock is given back. */
bool last_values_reserve(struct last_values *values, const char *room, struct kept_plan *plan);
void last_values_cancel(struct last_values *values, struct kept_plan *plan);

/* Carries the plan out: its messages have their position now. Drops as many old values as the
 * limits demand. */
void last_values_commit(struct last_values *values, struct kept_plan *plan);

/* The plan's event cannot be kept, because memory ran out, and it was not sent to clients
 * either: what it would replace must not stay, and a history begins after it. */
void last_values_leave_out(struct last_values *values, const char *room,
                           const struct kept_plan *plan, uint64_t position);

/* Frees what a plan still owns. Any thread, without the lock. */
void kept_plan_free(const ws_allocator *memory, struct kept_plan *plan);

/* --- reading --------------------------------------------------------------------------------- */

/* How many values a room has for a use. */
size_t last_values_count(const struct last_values *values, enum last_values_use use,
                         const char *room);

/* So many values are looked at under one hold of the lock: other threads emit meanwhile. */
enum { LAST_VALUES_AT_ONCE = 1000 };

/* Reads the values of a room with positions above `after` and up to `until`, of these the newest
 * `max`. What is replaced or removed while it reads is left out, if it was not read yet: that event
 * has a higher position than `until`. After an exchange it goes on with the values of the copy. */
struct last_values_reader {
    enum last_values_use use;
    const char *room;
    uint64_t after;
    uint64_t until; /* decreases with each value that was read */
    size_t max;
    ws_message **messages; /* has room for `max` */
    size_t count;          /* of the messages that were read, each with a reference */

    /* Private: */
    struct last_values_reader *next;
    struct kept_value
        *next_values[LAST_VALUES_RULES_MAX]; /* of each line; NULL: none is left */
};

/* Begins to read; last_values_end_reading() must follow. */
void last_values_begin_reading(struct last_values *values, struct last_values_reader *reader);

/* Reads the next values, from the newest to the oldest. True if there may be more, which are read
 * after the lock was given back. Counts the forms that were made since, and drops as many old
 * values as the limit demands. */
bool last_values_read(struct last_values *values, struct last_values_reader *reader);
void last_values_end_reading(struct last_values *values,
                             const struct last_values_reader *reader);

/* Whether the history of a room has every event after a position. */
bool last_values_reach(const struct last_values *values, const char *room, uint64_t after);

#endif
