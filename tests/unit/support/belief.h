/* belief.h: what a client believes of a room's presence, by its list and the changes after it.
 * The users are "u0", "u1" and so on, and their states are numbers. */
#ifndef SUPPORT_BELIEF_H
#define SUPPORT_BELIEF_H

#include <stdbool.h>

enum { BELIEF_USERS = 7 };

/* Of each user: connections, 0 if it is not there, and its state, -1 for none. */
struct belief {
    bool has_list; /* false: the count alone */
    unsigned count;
    int connections[BELIEF_USERS];
    int state[BELIEF_USERS];
};

/* Takes a message {"type":"presence"} or {"type":"presence_changed"}, or the data of the former. */
void belief_take(struct belief *belief, const char *text);

/* Whether two are the same. */
bool belief_is(const struct belief *belief, const struct belief *truth);

#endif
