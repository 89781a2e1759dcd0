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
    struct input *previous;
    bool listed;
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

/* Removes the entry, if it is listed. */
void input_list_remove(struct input_list *list, struct input *input);

#endif
