/* input_list.h: a loop's connections whose clients sent something that has not been carried out yet.
 * Not here: the turns in which they are served (clients/input.h). */
#ifndef WS_CORE_INPUT_LIST_H
#define WS_CORE_INPUT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

/* Stops the reading: a connection with so many bytes, or messages, that were not looked at yet. */
enum { INPUT_HIGH_BYTES = 16384, INPUT_HIGH_MESSAGES = 256 };

/* One connection's place in the turns; in the memory of whatever holds what it sent. */
struct input {
    struct input *next;
    struct input *previous;
    bool listed;
    bool served;    /* right now */
    int32_t credit; /* what it may still cost in this round; negative: was overdrawn */

    /* Carries out what came in while input_may_go_on(), lists it again if that was not all, and
     * returns the cost. It may be freed there. */
    uint32_t (*serve)(ws_loop *loop, struct input *input);
};

struct input_list {
    struct input *first;
    struct input *last;
    size_t count;
};

/* Lists it as the last one, unless it is listed. */
void input_list_add(struct input_list *list, struct input *input);

/* Takes it out, if it is listed. */
void input_list_remove(struct input_list *list, struct input *input);

#endif
