/* session_table.h: the sessions of a loop that are found by their ids: those that HTTP requests
 * name. Not here: the form of the ids (sid.h). */
#ifndef WS_TRANSPORT_ENGINEIO_SESSION_TABLE_H
#define WS_TRANSPORT_ENGINEIO_SESSION_TABLE_H

#include "base/name_table.h"
#include "transport/engineio/sid.h"

struct engineio_session;

/* The first member of a carrier whose session is in the table. The key is the node's name. */
struct session_node {
    struct name_node node;
    uint8_t key_length; /* directly before the key: how name_table.h reads names */
    struct sid_key key;
    bool is_listed;
    struct engineio_session *session;
};

static_assert(offsetof(struct session_node, key) ==
                  offsetof(struct session_node, key_length) + 1,
              "the key follows its length");

/* Makes the table of a loop, unless it has one; false if memory or randomness ran out. The loop
 * frees it. */
bool session_table_make(ws_loop *loop);

/* Adds a session under a key that was drawn for it; false if memory ran out. */
bool session_table_add(ws_loop *loop, struct session_node *node, const struct sid_key *key);

/* Removes a session, if it is in the table. */
void session_table_remove(const ws_loop *loop, struct session_node *node);

/* Finds a session of the loop; NULL if there is none with that key. */
struct session_node *session_table_find(const ws_loop *loop, const struct sid_key *key);

/* The class of a client by the host's name of it; NULL, as of clients without a name: 0. The
 * loop has its table. */
uint8_t session_table_class(const ws_loop *loop, const char *client);

/* Removes all sessions and returns them as a list, linked by `node.next`. */
struct session_node *session_table_take_all(const ws_loop *loop);

#endif
