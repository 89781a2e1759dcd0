/* life.h: how a session that HTTP requests carry ends. Not here: how its sockets end
 * (engineio/session.h). */
#ifndef WS_TRANSPORT_POLLING_LIFE_H
#define WS_TRANSPORT_POLLING_LIFE_H

#include "transport/polling/output.h"

/* The client is lost: ends the session and its sockets now. */
void polling_lose(struct polling *polling);

/* The client has not answered a ping in time: as polling_lose(). */
void polling_time_out(struct polling *polling);

/* A request has waited for too long: as polling_lose(), and a POST of which not all was carried
 * out is answered with 503. */
void polling_give_up(struct polling *polling);

/* The session ends for a reason of the server: posts the ends of its sockets. */
void polling_finish(struct polling *polling, uint16_t code, const char *text);

/* The client has violated the protocol, or is not wanted: posts the ends of its sockets. */
void polling_fail(struct polling *polling, uint16_t code, const char *text);

/* The client has closed the session, or has broken the protocol so that nothing more of it is
 * accepted; posts the ends of its sockets. */
void polling_client_left(struct polling *polling, uint16_t code, const char *text);

/* The session leaves for another carrier: this one ends. */
void polling_move(struct polling *polling, struct engineio_rest *rest);

/* All sockets have ended: sends the close packet, after what is queued. */
void polling_close(struct polling *polling);

/* Ends a session whose close packet was taken. */
void polling_end_if_closed(struct polling *polling);

#endif
