/* callbacks.h: what the library calls: transports that fail, and callbacks that call the library.
 * Not here: the calls (model.c) and their expected results (state.h). */
#ifndef FUZZ_MODEL_CALLBACKS_H
#define FUZZ_MODEL_CALLBACKS_H

#include "fuzz/model/state.h"

/* Shared with the calls. */
struct callbacks {
    void (*act)(void);
    unsigned n_nested;     /* calls within callbacks */
    bool is_reauthorizing; /* a user, within the call that runs */
    bool is_quiet;         /* callbacks do nothing, and transports take everything */
    unsigned n_connects;
    unsigned n_disconnects;
};

extern struct callbacks callbacks;
extern const ws_transport callbacks_transport;

/* A callback calls the library, if the input says so. */
void callbacks_act_within(void);

void callbacks_set(ws_manager_options *options);

#endif
