/* belief.c: what a client believes of a room's presence, by its list and the changes after it. */
#include "support/belief.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "support/threads.h"

/* Applies the members of the array that follows `name`. */
static void apply(struct belief *belief, const char *text, const char *name)
{
    const char *at = strstr(text, name);
    const char *end = at != NULL ? strchr(at, ']') : NULL;
    int user, connections, state;

    while (at != NULL && (at = strstr(at, "{\"user_id\":\"u")) != NULL && at < end) {
        connections = 0;
        state = -1;
        ck_assert_int_ge(sscanf(at, "{\"user_id\":\"u%d\",\"connections\":%d,\"state\":%d",
                                &user, &connections, &state),
                         1);
        belief->connections[user] = connections;
        belief->state[user] = state;
        at++;
    }
}

void belief_take(struct belief *belief, const char *text)
{
    const char *count = strstr(text, "\"count\":");

    ck_assert_ptr_nonnull(count);
    belief->count = (unsigned)strtoul(count + strlen("\"count\":"), NULL, 10);
    if (strstr(text, "\"presence_changed\"") == NULL) {
        memset(belief->connections, 0, sizeof belief->connections);
        belief->has_list = strstr(text, "\"members\":[") != NULL;
        apply(belief, text, "\"members\":[");
    } else {
        ck_assert_int_eq(belief->has_list, strstr(text, "\"joined\":[") != NULL);
        apply(belief, text, "\"joined\":[");
        apply(belief, text, "\"left\":[");
        apply(belief, text, "\"changed\":[");
    }
}

bool belief_is(const struct belief *belief, const struct belief *truth)
{
    if (belief->count != truth->count || belief->has_list != truth->has_list)
        return false;
    for (int user = 0; belief->has_list && user < BELIEF_USERS; user++)
        if (belief->connections[user] != truth->connections[user] ||
            (truth->connections[user] > 0 && belief->state[user] != truth->state[user]))
            return false;
    return true;
}
