/* history.h: the newest events, kept for clients that come back: all in one line by their
 * positions, and besides one line for each whom they were for, so that what a client missed is
 * found without looking at what others did. Not here: who reads them, and when (recovery.h).
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
    uint64_t before; /* every event with a higher position is here */
    struct name_table lines[N_GROUP_KINDS];
};

void history_init(struct history *history, const ws_allocator *memory, const uint8_t *secret);
void history_free(struct history *history);

/* Makes room for one more event, for everyone (`name` NULL) or one of that name. False if memory
 * ran out; *line is what history_append() wants, next, and NULL if nothing is kept. */
bool history_reserve(struct history *history, enum group_kind kind, const char *name,
                     struct history_line **line);

/* Keeps the next event, of which it takes a reference, and lets go of as many old ones as the
 * limits demand. */
void history_append(struct history *history, struct history_line *line, ws_message *message,
                    int64_t time_ms);

/* Lets go of what is too old, or of all; then the next event has position `before` + 1. */
void history_expire(struct history *history, int64_t now_ms);
void history_reset(struct history *history, uint64_t before);

/* A place in a line while it is read. */
struct history_cursor {
    const struct history_line *line;
    uint32_t at; /* index behind the line's first */
};

/* Puts a cursor at the first event of a line behind a position. False if there is none. */
bool history_seek(const struct history *history, enum group_kind kind, const char *name,
                  uint64_t after, struct history_cursor *cursor);

/* Reads on from these cursors, of which all have an event, in the order of positions: at most `max`
 * events up to position `until`; each comes with a reference. Returns how many. */
size_t history_read(struct history_cursor *cursors, size_t n_cursors, uint64_t until,
                    ws_message **messages, size_t max);

#endif
