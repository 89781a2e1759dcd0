/* notes.h: gives a cluster's carrier what is kept of clients (kept/kept_notes.h), for the process
 * that they come back to. Not here: asking for it (former.h). */
#ifndef WS_CORE_CLIENTS_NOTES_H
#define WS_CORE_CLIENTS_NOTES_H

#include "core/manager.h"

/* What is kept of a connection's client has changed. Any thread, without a lock held. */
void client_note(ws_manager *manager, ws_conn_id id);

#endif
