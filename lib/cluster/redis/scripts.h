/* scripts.h: what Redis does for us in one step each, in Lua. They are sent as they are, by EVAL,
 * so that a Redis that has lost its scripts needs no care; Redis knows them by their digest. */
#ifndef WS_REDIS_SCRIPTS_H
#define WS_REDIS_SCRIPTS_H

/* KEYS: state, stream. ARGV: a new epoch, and what this process knows: epoch, position and nonce of
 * the newest event (0 and "": of none). Returns epoch and position. */
extern const char script_attach[];

/* KEYS: state, stream, then the key of each event's producer. ARGV: epoch, nonce, length of the
 * stream, then for each event: sequence, scope (everyone, user or room), target, exclude, event.
 * Returns the position of each, 0 for one that was in the stream before. */
extern const char script_append[];

/* KEYS: nodes, expiries. ARGV: a node's name, its JSON text, milliseconds that it is valid. Returns
 * names and texts of all nodes, by their names. */
extern const char script_heartbeat[];

#endif
