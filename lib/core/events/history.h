/* history.h: the newest events, stored for clients that recover. They are in one ring by
 * position, and also in one line for each user, for each room and for everyone, so that what a
 * client missed is found without looking at other recipients' events. Not here: the reading for
 * a client (recovery.h).
 *
 * Guarded by the manager's lock. */
#ifndef WS_CORE_EVENTS_HISTORY_H
#define WS_CORE_EVENTS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "core/events/message.h"
#include "core/groups/registry.h"

enum { HISTORY_MAX_EVENTS = 1 << 30 };

/* Events for one user, one room or everyone, the oldest first. */
struct history_line {
    struct name_node node;
    ws_message **messages; /* a ring */
    uint32_t capacity;     /* a power of two, or 0 */
    uint32_t first;
    uint32_t count;
    uint8_t kind;        /* enum group_kind */
    uint8_t name_length; /* right before the name (name_table.h) */
    char name[];         /* NUL-terminated */
};

struct history_entry {
    ws_message *message; /* one reference */
    struct history_line *line;
    int64_t time_ms;
    size_t counted; /* its part of `bytes` */
};

struct history {
    const ws_allocator *memory;
    uint32_t max_events; /* 0: nothing is kept */
    uint64_t max_bytes;  /* 0: no limit */
    int64_t max_age_ms;  /* 0: no limit */

    struct history_entry *entries; /* a ring; their positions have no gaps */
    uint32_t capacity;             /* a power of two, or 0 */
    uint32_t first;
    uint32_t count;
    uint64_t bytes;
    uint32_t hand;   /* the next entry to be counted anew, from the first one on */
    uint64_t before; /* every event with a higher position is here */
    struct name_table lines[N_GROUP_KINDS];
};

void history_init(struct history *history, const ws_allocator *memory, const uint8_t *secret);
void history_free(struct history *history);

/* Reserves room for one more event, for everyone (`name` NULL) or the user or room of that
 * name. False if memory ran out. *line is for the history_append() that must follow; it is NULL
 * if nothing is stored. */
bool history_reserve(struct history *history, enum group_kind kind, const char *name,
                     struct history_line **line);

/* Stores the next event, of which it takes a reference, and drops as many old events as the
 * limits demand. */
void history_append(struct history *history, struct history_line *line, ws_message *message,
                    int64_t time_ms);

/* Drop events that are too old, at most 64 in a call; drop all events, after which the next one
 * has position `before` + 1. */
void history_expire(struct history *history, int64_t now_ms);
void history_reset(struct history *history, uint64_t before);

/* A reader's place in a line. */
struct history_cursor {
    const struct history_line *line;
    uint32_t at; /* index relative to the line's first event */
};

/* Sets a cursor to the first event of a line after a position. False if there is none. */
bool history_seek(const struct history *history, enum group_kind kind, const char *name,
                  uint64_t after, struct history_cursor *cursor);

/* Reads from these cursors, each of which has an event left, in the order of positions: at most
 * `max` events up to position `until`, each with a reference. Returns their number. */
size_t history_read(struct history_cursor *cursors, size_t n_cursors, uint64_t until,
                    ws_message **messages, size_t max);

#endif
