/* kept.h: the model of what one room keeps: its last values, and a history. Not here: who
 * receives it (state.h). */
#ifndef FUZZ_MODEL_KEPT_H
#define FUZZ_MODEL_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#include <ws_manager/ws_manager.h>

enum {
    KEPT_KEYS = 4,
    KEPT_VALUES = 3,  /* values of the room */
    KEPT_HISTORY = 5, /* events of its history */
    KEPT_NO_KEY = -1
};

struct kept_event {
    int place;  /* the number of the event among all */
    int number; /* in its data: the same; 0 if the data is null */
    int key;
    ws_conn_id excluded[2]; /* 0: none */
};

/* The oldest first. */
struct kept {
    bool by_key;
    struct kept_event values[KEPT_VALUES + 1];
    size_t n_values;
    struct kept_event history[KEPT_HISTORY + 1];
    size_t n_history;
    int n_events; /* so far */
};

/* Declares it for a room of the manager. */
void kept_open(struct kept *kept, ws_manager *manager, const char *room, bool by_key);

/* An event of the room. */
void kept_add(struct kept *kept, const struct kept_event *event);

bool kept_is_value(const struct kept *kept, int place);
bool kept_is_in_history(const struct kept *kept, int place);

#endif
