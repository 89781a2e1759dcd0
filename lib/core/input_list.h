/* input_list.h: a loop's connections that have client input waiting to be processed. Not here:
 * the turns in which they are served (clients/input.h). */
#ifndef WS_CORE_INPUT_LIST_H
#define WS_CORE_INPUT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

/* Reading from a client stops when so many bytes, or messages, wait to be processed. */
enum { INPUT_HIGH_BYTES = 16384, INPUT_HIGH_MESSAGES = 256 };

/* One connection's entry in the list. It is embedded in the struct that holds the connection's
 * input. */
struct input {
    struct input *next;
    union {
        struct input *previous;
        struct input **holder; /* while it is held */
    };
    bool listed;    /* or held */
    bool held;      /* not in the list: its client is to read first */
    bool served;    /* being served now */
    int32_t credit; /* budget left in this round; negative: overdrawn */

    /* Processes the waiting input while input_may_go_on(), lists the entry again if some is
     * left, and returns the cost. The entry may be freed during the call. */
    uint32_t (*serve)(ws_loop *loop, struct input *input);
};

struct input_list {
    struct input *first;
    struct input *last;
    size_t count;
};

/* Adds the entry at the end, unless it is listed. */
void input_list_add(struct input_list *list, struct input *input);

/* Removes the entry, if it is listed or held. */
void input_list_remove(struct input_list *list, struct input *input);

/* Keeps an entry that is not listed out of the list: loops with nothing else to do can sleep.
 * Until it is released or removed, *holder is the entry; it must be NULL before. */
void input_list_hold(struct input *input, struct input **holder);

/* Lists the entry that is held there, if there is one. True if there was. */
bool input_list_release(struct input_list *list, struct input **holder);

#endif
