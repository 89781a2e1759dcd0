/* output.h: queues a session's packets, and gives them to the polls that fetch them. Not here: the
 * queue itself (shared/output_queue.h), the form of messages (engineio/form.h). */
#ifndef WS_TRANSPORT_POLLING_OUTPUT_H
#define WS_TRANSPORT_POLLING_OUTPUT_H

#include "transport/polling/state.h"
#include "transport/polling/ticket.h"

/* Whether the queue accepts no further message, beside `more` bytes. */
bool polling_is_full(const struct polling *polling, size_t more);

/* Queues frames and takes over the reference on success; false if memory ran out. */
bool polling_push_frames(struct polling *polling, struct frames *frames);

/* Queues a packet of the session's own, a text. If memory runs out, the session is doomed. */
void polling_push(struct polling *polling, const char *packet, size_t length);

/* Whether a poll gets an answer now. */
bool polling_has_output(const struct polling *polling);

/* Drops what is queued. */
void polling_drop_output(struct polling *polling);

/* Lets the poll that waits, if any, fetch what is queued: at the end of this turn, so that it gets
 * all that the turn adds. A poll of another loop gets it at once. */
void polling_offer(struct polling *polling);

/* Takes packets out of the queue, as the payload of a response: as many messages as have
 * max_message_bytes together, and at least one. */
void polling_take_packets(struct polling *polling, struct buffer *payload);

/* Answers the poll that waits with what is queued, or with a noop. */
void polling_respond(struct polling *polling);

#endif
