/* notes.h: gives a cluster's carrier what is kept of clients (kept/kept_notes.h), for the process
 * that they come back to. Not here: asking for it (former.h). */
#ifndef WS_CORE_CLIENTS_NOTES_H
#define WS_CORE_CLIENTS_NOTES_H

#include "core/manager.h"

/* What is kept of a connection's client has changed: its note is written, or if it can wait, at the
 * end of the turn in which this is called, once for all that the client has sent. Any thread,
 * without a lock held. */
void client_note(ws_manager *manager, ws_conn_id id);
void client_note_soon(ws_manager *manager, ws_conn_id id);

/* The client of a new connection comes from another process, where its note has this key: who reads
 * the new connection's note goes on to that one until the client's past is known. */
void client_note_former(ws_loop *loop, ws_conn_id id, const char *user_id, const char *key);

/* The carrier forgets what is no longer noted. */
void client_notes_forget(ws_manager *manager);

/* At the end of a turn. */
void notes_turn(ws_loop *loop);

#endif
