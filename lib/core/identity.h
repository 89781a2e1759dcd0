/* identity.h: what tells a process's manager from all others: its name, the epoch of its history,
 * the secret of its hashes. The child of a fork() is another process and must not share them:
 * a client of the parent's that came to the child would be handed the child's events as what it
 * missed of the parent's. */
#ifndef WS_CORE_IDENTITY_H
#define WS_CORE_IDENTITY_H

#include "core/manager.h"

/* Draws all of it for a new manager. WS_ERR_SYSTEM, WS_ERR_NO_MEMORY. */
int identity_draw(ws_manager *manager);

/* Draws it anew in a child: nothing that the parent did can be recovered here. Positions go on. The
 * lock is held. */
void identity_of_child(ws_manager *manager);

#endif
