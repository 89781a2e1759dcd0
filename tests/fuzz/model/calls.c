/* calls.c: what the calls of the model share. */
#include "fuzz/model/calls.h"

#include <string.h>

struct calls calls;
const char *const user_names[N_USERS] = {NULL, "u1", "u2", "u3"};
const char *const room_names[N_ROOMS] = {"a", "b", "c", "\"d", "own"};

unsigned calls_below(unsigned limit)
{
    return input_below(&calls.input, limit);
}

struct client *calls_client(void)
{
    return &state.clients[calls_below(N_CLIENTS)];
}

bool calls_say(struct client *client, const char *text)
{
    state_say(client);
    calls.due[client->loop] = true;
    ck_assert_int_eq(ws_manager_receive(calls.manager, client->id, text, strlen(text), 1),
                     WS_OK);
    return client->may_speak;
}

void calls_expect(const struct client *client, int result)
{
    ck_assert(result == WS_OK || (result == WS_ERR_NOT_FOUND && !client->open));
}
