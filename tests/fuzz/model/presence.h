/* presence.h: calls about presence, and what clients and the application receive of it. Not here:
 * who is there (members.h). */
#ifndef FUZZ_MODEL_PRESENCE_H
#define FUZZ_MODEL_PRESENCE_H

#include "fuzz/model/state.h"

/* Before and after the manager is made. */
void presence_set(ws_manager_options *options);
void presence_begin(void);

/* A client connects. */
void presence_connect(const struct client *client);

/* One of the calls. */
void presence_act(void);

/* A message has reached a client, or the client has left a room. */
void presence_got(struct client *client, const char *text);
void presence_left_room(struct client *client, const char *room);

/* When nothing is left to do: what each client and the application believe is right. */
void presence_compare(void);

#endif
