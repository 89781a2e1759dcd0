/* kept.c: the model of what one room keeps. */
#include "fuzz/model/kept.h"

#include <check.h>
#include <string.h>

#include <ws_manager/last_values.h>

void kept_open(struct kept *kept, ws_manager *manager, const char *room, bool by_key)
{
    ws_last_values_options values;
    ws_room_history_options history;

    *kept = (struct kept){.by_key = by_key};
    ws_last_values_options_init(&values);
    values.room = room;
    values.by_key = by_key;
    values.max_values = KEPT_VALUES;
    ck_assert_int_eq(ws_manager_keep_last_values(manager, &values), WS_OK);
    ws_room_history_options_init(&history);
    history.room = room;
    history.max_events = KEPT_HISTORY;
    ck_assert_int_eq(ws_manager_keep_room_history(manager, &history), WS_OK);
}

static void remove_at(struct kept_event *events, size_t *count, size_t at)
{
    memmove(&events[at], &events[at + 1], (*count - at - 1) * sizeof *events);
    --*count;
}

static void append(struct kept_event *events, size_t *count, size_t most,
                   const struct kept_event *event)
{
    events[(*count)++] = *event;
    if (*count > most)
        remove_at(events, count, 0);
}

static void change_values(struct kept *kept, const struct kept_event *event)
{
    bool is_null = event->number == 0;

    if (kept->by_key && event->key == KEPT_NO_KEY)
        return;
    for (size_t at = kept->n_values; at-- > 0;)
        if (kept->by_key ? kept->values[at].key == event->key : is_null)
            remove_at(kept->values, &kept->n_values, at);
    if (!is_null)
        append(kept->values, &kept->n_values, KEPT_VALUES, event);
}

void kept_add(struct kept *kept, const struct kept_event *event)
{
    kept->n_events++;
    change_values(kept, event);
    append(kept->history, &kept->n_history, KEPT_HISTORY, event);
}

static bool has(const struct kept_event *events, size_t count, int place)
{
    for (size_t at = 0; at < count; at++)
        if (events[at].place == place)
            return true;
    return false;
}

bool kept_is_value(const struct kept *kept, int place)
{
    return has(kept->values, kept->n_values, place);
}

bool kept_is_in_history(const struct kept *kept, int place)
{
    return has(kept->history, kept->n_history, place);
}
