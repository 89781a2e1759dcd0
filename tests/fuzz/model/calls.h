/* calls.h: what the calls of the model share: the manager and its loops, the input that chooses the
 * calls, and what clients say. Not here: what is expected of them (state.h). */
#ifndef FUZZ_MODEL_CALLS_H
#define FUZZ_MODEL_CALLS_H

#include "fuzz/model/state.h"
#include "fuzz/support/input.h"

enum { N_LOOPS = 2 };

struct calls {
    struct fuzz_input input;
    ws_manager *manager;
    ws_loop *loops[N_LOOPS];
    bool due[N_LOOPS]; /* it was woken, or has more to do */
};

extern struct calls calls;
extern const char *const user_names[N_USERS]; /* NULL: anonymous */
extern const char *const room_names[N_ROOMS];

unsigned calls_below(unsigned limit);
struct client *calls_client(void);

/* An open client sends a message. Returns whether it is not too fast, and so is carried out. */
bool calls_say(struct client *client, const char *text);

/* The result of a call that names a client. If calls no longer address the client, both results are
 * correct until its loop has run. */
void calls_expect(const struct client *client, int result);

#endif
