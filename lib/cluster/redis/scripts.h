/* scripts.h: what Redis does for us in one step each, in Lua. They are sent as they are, by EVAL,
 * so that a Redis that has lost its scripts needs no care; but for the one that is called all the
 * time: to hash its text is a sixth of what a call costs that stores one event. */
#ifndef WS_REDIS_SCRIPTS_H
#define WS_REDIS_SCRIPTS_H

/* KEYS: state, stream. ARGV: a new epoch, and what this process knows: an epoch ("": none), the
 * newest event's id in the stream, and that of the last one that its manager has ("0-": none; an
 * id ends with the "-" if only the position is known), and the epochs that it left before, each with
 * a blank and the position up to which it had what was in it. Returns epoch, position and nonce of
 * the newest event, and the position behind which this process begins if the epoch is not the one
 * that it knows. Redis takes no more words than these from one who has not proved who he is. */
extern const char script_attach[];

/* KEYS: state, stream, then the key of each event's producer. ARGV: epoch, nonce, length of the
 * stream, then for each event: sequence, scope (everyone, user or room), target, exclude, event.
 * Returns the position of each, 0 for one that was in the stream before. After an error those
 * before the event that it is about are stored. */
extern const char script_append[];

/* By which EVALSHA finds it (SHA-1), in a Redis that has seen it. */
extern const char script_append_digest[];

/* KEYS: nodes, expiries. ARGV: a node's name, its JSON text, milliseconds that it is valid. */
extern const char script_heartbeat[];

/* KEYS: nodes. ARGV: a name, a number of bytes. Returns names and texts of nodes in the order of
 * their names, from that one on, of no more bytes than that, but at least one; if there are more,
 * the next one's name alone comes last. */
extern const char script_nodes[];

#endif
