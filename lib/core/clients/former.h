/* former.h: a client that comes back from another process. What it has sent there, and with which
 * answers, is recalled from the cluster's carrier (kept/kept_notes.h), and until then nothing with
 * a `ref` is carried out: the client may have sent it before. Answers that other processes are to
 * give are recalled later, when they are there. Not here: notes (notes.h).
 *
 * former_new() and former_call() are for any thread, the other functions for the loop's. */
#ifndef WS_CORE_CLIENTS_FORMER_H
#define WS_CORE_CLIENTS_FORMER_H

#include "core/calls.h"
#include "core/connections/connection.h"
#include "protocol/json/client_message.h"

struct former;

/* The former connection of a client that is about to connect. *former is NULL if there is nothing
 * to recall. False if memory ran out. */
bool former_new(ws_manager *manager, const ws_connect_options *options, struct former **former);

/* The call to post before the CONNECT command, which takes over `former`. */
struct loop_call *former_call(struct former *former, ws_conn_id id);

/* Waits no longer for anything. NULL does nothing. The manager's lock is not held. */
void former_free(struct former *former);

enum former_state {
    FORMER_KNOWN,   /* what was sent before is known, or there is nothing */
    FORMER_HOLDS,   /* the message is carried out later, and further ones wait until then */
    FORMER_ANSWERED /* it is not carried out, and was answered */
};

/* Before a message with a ref is carried out: `take` does that later. */
enum former_state
former_hold(struct connection *connection, const struct client_message *message,
            void (*take)(struct connection *connection, const struct client_message *message));

/* Whether further messages wait for one of FORMER_HOLDS. */
bool former_holds(const struct connection *connection);

/* Holds the client's input until then (input_list_hold()); false if nothing is held, or another
 * input is. */
bool former_hold_input(const struct connection *connection, struct input *input);

/* The client has sent again what another process is to answer: that process's note is read until it
 * has the answer. False if memory ran out. */
bool former_await(struct connection *connection);

/* The connection ends. */
void former_end(struct connection *connection);

void former_init(ws_loop *loop);

#endif
