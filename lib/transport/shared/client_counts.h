/* client_counts.h: how many sessions each client of an endpoint has. A client is a text of the
 * host, usually an address. Not here: what counts as a session.
 *
 * Any thread; each function takes the manager's lock. */
#ifndef WS_TRANSPORT_SHARED_CLIENT_COUNTS_H
#define WS_TRANSPORT_SHARED_CLIENT_COUNTS_H

#include "core/transport/transport_side.h"

enum { CLIENT_TEXT_MAX = 63 };

struct client_counts;
struct client_count; /* of one client that has a session at least */

enum client_result { CLIENT_COUNTED, CLIENT_HAS_TOO_MANY, CLIENT_NO_MEMORY };

/* Makes an empty table; NULL if memory or randomness ran out. */
struct client_counts *client_counts_new(ws_manager *manager);

/* Frees a table without clients; NULL does nothing. */
void client_counts_free(struct client_counts *counts);

/* Counts one more session of a client, of 1 to CLIENT_TEXT_MAX bytes, if it has fewer than `most`.
 * *count is set, for client_counts_leave(), on CLIENT_COUNTED only. */
enum client_result client_counts_enter(struct client_counts *counts, const char *client,
                                       uint32_t most, struct client_count **count);

/* Counts one session less. */
void client_counts_leave(struct client_counts *counts, struct client_count *count);

#endif
