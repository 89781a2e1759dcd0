/* history.c: the newest events, by position and by recipient. */
#include "core/events/history.h"

#include <string.h>

enum {
    FIRST_CAPACITY = 4,
    EXPIRED_AT_ONCE = 64, /* the manager's lock is held meanwhile: each may free a message */

    /* After so many others an event has the forms of those that receive it at once. */
    RECENT = 16,

    /* Events that are counted anew with each further one: by one alone, the hand would stay at the
     * newest for ever. */
    COUNTED_AT_ONCE = 2
};

void history_init(struct history *history, const ws_allocator *memory, const uint8_t *secret)
{
    history->memory = memory;
    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++)
        name_table_init(&history->lines[kind], memory, secret,
                        offsetof(struct history_line, name_length));
}

/* --- rings ----------------------------------------------------------------------------------- */

/* Makes a larger copy of a full ring and frees the old one; NULL if memory ran out. */
static void *grow_ring(const ws_allocator *memory, void *ring, size_t item, uint32_t *capacity,
                       uint32_t *first)
{
    uint32_t larger = *capacity > 0 ? 2 * *capacity : FIRST_CAPACITY;
    size_t behind = *capacity - *first;
    char *grown;

    if (*capacity > UINT32_MAX / 2)
        return NULL;
    grown = memory_alloc(memory, larger * item);
    if (grown == NULL)
        return NULL;
    if (*capacity > 0) {
        memcpy(grown, (char *)ring + *first * item, behind * item);
        memcpy(grown + behind * item, ring, *first * item);
    }
    memory_free(memory, ring);
    *capacity = larger;
    *first = 0;
    return grown;
}

static bool reserve_entry(struct history *history)
{
    void *grown;

    if (history->count < history->capacity)
        return true;
    grown = grow_ring(history->memory, history->entries, sizeof *history->entries,
                      &history->capacity, &history->first);
    if (grown == NULL)
        return false;
    history->entries = grown;
    return true;
}

static bool reserve_message(const struct history *history, struct history_line *line)
{
    void *grown;

    if (line->count < line->capacity)
        return true;
    grown = grow_ring(history->memory, line->messages, sizeof *line->messages, &line->capacity,
                      &line->first);
    if (grown == NULL)
        return false;
    line->messages = grown;
    return true;
}

static ws_message *message_at(const struct history_line *line, uint32_t index)
{
    return line->messages[(line->first + index) & (line->capacity - 1)];
}

/* --- lines ----------------------------------------------------------------------------------- */

static struct history_line *find_line(const struct history *history, enum group_kind kind,
                                      const char *name)
{
    return name_table_find(&history->lines[kind], name != NULL ? name : "",
                           name != NULL ? strlen(name) : 0);
}

static struct history_line *add_line(struct history *history, enum group_kind kind,
                                     const char *name)
{
    size_t length = name != NULL ? strlen(name) : 0;
    size_t size = offsetof(struct history_line, name) + length + 1;
    struct history_line *line =
        memory_zalloc(history->memory, size > sizeof *line ? size : sizeof *line);

    if (line == NULL)
        return NULL;
    line->kind = (uint8_t)kind;
    line->name_length = (uint8_t)length;
    if (length > 0)
        memcpy(line->name, name, length);
    if (!name_table_add(&history->lines[kind], line)) {
        memory_free(history->memory, line);
        return NULL;
    }
    return line;
}

static void remove_line_if_empty(struct history *history, struct history_line *line)
{
    if (line->count > 0)
        return;
    name_table_remove(&history->lines[line->kind], line);
    memory_free(history->memory, line->messages);
    memory_free(history->memory, line);
}

/* --- storing and dropping ----------------------------------------------------------------- */

static size_t cost_of(const ws_message *message)
{
    return message->frames.start + message->frames.length +
           frames_variant_bytes(&message->frames) + sizeof(struct history_entry) +
           sizeof message;
}

static struct history_entry *entry_at(const struct history *history, uint32_t index)
{
    return &history->entries[(history->first + index) & (history->capacity - 1)];
}

static void count(struct history *history, struct history_entry *entry)
{
    size_t cost = cost_of(entry->message);

    history->bytes += (uint64_t)cost - entry->counted;
    entry->counted = cost;
}

/* Other threads make forms of events, without the lock: when they deliver an event, and later for
 * clients that recover. */
static void count_forms(struct history *history)
{
    if (history->count > RECENT)
        count(history, entry_at(history, history->count - 1 - RECENT));
    for (int i = 0; i < COUNTED_AT_ONCE; i++) {
        if (history->hand >= history->count)
            history->hand = 0;
        count(history, entry_at(history, history->hand++));
    }
}

static void drop_oldest(struct history *history)
{
    struct history_entry *oldest = entry_at(history, 0);
    struct history_line *line = oldest->line;

    line->first = (line->first + 1) & (line->capacity - 1);
    line->count--;
    remove_line_if_empty(history, line);
    history->bytes -= oldest->counted;
    history->hand -= history->hand > 0;
    history->before = oldest->message->position;
    ws_message_unref(oldest->message);
    history->first = (history->first + 1) & (history->capacity - 1);
    history->count--;
}

bool history_reserve(struct history *history, enum group_kind kind, const char *name,
                     struct history_line **line)
{
    *line = NULL;
    if (history->max_events == 0)
        return true;
    if (!reserve_entry(history))
        return false;
    *line = find_line(history, kind, name);
    if (*line == NULL)
        *line = add_line(history, kind, name);
    if (*line == NULL)
        return false;
    if (!reserve_message(history, *line)) {
        remove_line_if_empty(history, *line);
        return false;
    }
    return true;
}

void history_append(struct history *history, struct history_line *line, ws_message *message,
                    int64_t time_ms)
{
    if (line == NULL) {
        history->before = message->position;
        return;
    }
    ws_message_ref(message);
    *entry_at(history, history->count) = (struct history_entry){message, line, time_ms, 0};
    count(history, entry_at(history, history->count++));
    line->messages[(line->first + line->count++) & (line->capacity - 1)] = message;
    count_forms(history);
    while (history->count > history->max_events ||
           (history->max_bytes > 0 && history->bytes > history->max_bytes))
        drop_oldest(history);
    history_expire(history, time_ms);
}

void history_expire(struct history *history, int64_t now_ms)
{
    uint32_t n_dropped = 0;

    if (history->max_age_ms == 0)
        return;
    while (history->count > 0 && n_dropped++ < EXPIRED_AT_ONCE &&
           now_ms - history->entries[history->first].time_ms > history->max_age_ms)
        drop_oldest(history);
}

void history_reset(struct history *history, uint64_t before)
{
    while (history->count > 0)
        drop_oldest(history);
    history->before = before;
}

void history_free(struct history *history)
{
    history_reset(history, 0);
    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++)
        name_table_free(&history->lines[kind]);
    memory_free(history->memory, history->entries);
}

/* --- reading ---------------------------------------------------------------------------------- */

bool history_seek(const struct history *history, enum group_kind kind, const char *name,
                  uint64_t after, struct history_cursor *cursor)
{
    const struct history_line *line = find_line(history, kind, name);
    uint32_t low = 0;
    uint32_t high = line != NULL ? line->count : 0;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (message_at(line, middle)->position <= after)
            low = middle + 1;
        else
            high = middle;
    }
    *cursor = (struct history_cursor){line, low};
    return line != NULL && low < line->count;
}

static uint64_t position_of(const struct history_cursor *cursor)
{
    return message_at(cursor->line, cursor->at)->position;
}

/* Restores the heap (lowest position first) below one place. */
static void sift_down(struct history_cursor *heap, size_t count, size_t place)
{
    struct history_cursor moved = heap[place];

    for (;;) {
        size_t child = 2 * place + 1;

        if (child + 1 < count && position_of(&heap[child + 1]) < position_of(&heap[child]))
            child++;
        if (child >= count || position_of(&moved) <= position_of(&heap[child]))
            break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = moved;
}

size_t history_read(struct history_cursor *cursors, size_t n_cursors, uint64_t until,
                    ws_message **messages, size_t max)
{
    size_t count = 0;

    for (size_t place = n_cursors / 2; place-- > 0;)
        sift_down(cursors, n_cursors, place);
    while (count < max && n_cursors > 0 && position_of(&cursors[0]) <= until) {
        messages[count++] = ws_message_ref(message_at(cursors[0].line, cursors[0].at));
        if (++cursors[0].at == cursors[0].line->count)
            cursors[0] = cursors[--n_cursors];
        if (n_cursors > 1)
            sift_down(cursors, n_cursors, 0);
    }
    return count;
}
