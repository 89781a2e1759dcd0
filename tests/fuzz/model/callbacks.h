/* callbacks.h: what the library calls: transports that fail, and callbacks that call the library.
 * Not here: the calls (model.c) and their expected results (state.h). */
#ifndef FUZZ_MODEL_CALLBACKS_H
#define FUZZ_MODEL_CALLBACKS_H

#include "fuzz/model/state.h"
#include "fuzz/support/input.h"

/* Shared with the calls. */
struct callbacks {
    struct fuzz_input *input;
    void (*act)(void);
    unsigned n_nested;     /* calls within callbacks */
    bool is_reauthorizing; /* a user, within the call that runs */
    unsigned n_connects;
    unsigned n_disconnects;
    unsigned n_asked;   /* requests to clients */
    unsigned n_settled; /* of these, what on_response was called for */
    ws_answer answer;   /* of the last message that has one */
};

extern struct callbacks callbacks;
extern const char *const room_names[N_ROOMS];
extern const ws_transport callbacks_transport;

void callbacks_on_response(ws_manager *of, ws_conn_id connection, const ws_response *response,
                           void *user_data);

void callbacks_set(ws_manager_options *options);

#endif
