/* scripts.h: Lua scripts that Redis executes atomically. They are sent as text with EVAL, so it
 * does not matter whether Redis still has them. Only the script that appends events is called
 * by its digest (EVALSHA), because hashing its text takes a sixth of the time of a call that
 * stores one event. */
#ifndef WS_REDIS_SCRIPTS_H
#define WS_REDIS_SCRIPTS_H

/* Begins a session.
 * KEYS: state, stream.
 * ARGV: 1 a new epoch, in case one must begin; 2 the epoch that this process knows ("": none);
 * 3 the id of the newest event that it knows to be in the stream; 4 the id of the last event
 * that its manager has; 5 its former epochs, one a line: the epoch, a blank, and the position
 * up to which it had the events of that epoch. An id is "0-" for no event, and ends with "-" if
 * only the position is known. Returns the epoch, the position and the nonce of the newest
 * event, the position behind which this process begins if the epoch is not the one that it
 * knows, and 1 if it may have had none of the events up to there that are behind its own last
 * one, else 0. It must not have more arguments: from a client that is not authenticated Redis
 * accepts no more. */
extern const char script_attach[];

/* The keys of what rooms keep:
 *   values  hash: a field is ROOM\nTYPE\nKEY, or ROOM\nTYPE\n\nPLACE for a list of the newest
 *           events; its value is "POSITION BYTES EVENT"
 *   order   sorted set: the fields by positions, which may be older than those of the values
 *   lists   sorted set, by the texts: ROOM\nTYPE\nPLACEKEY, or ROOM\nTYPE\nPLACE\nPLACE, where the
 *           first PLACE is that in `order`
 *   sizes   hash: ROOM\nTYPE is "COUNT BYTES"; the empty field is the bytes of all lists
 * PLACE is a position of 20 digits. Names have no line feed. */
enum value_key { VALUES, VALUES_ORDER, VALUES_LISTS, VALUES_SIZES, N_VALUE_KEYS };

/* Appends events.
 * KEYS: state, stream, the key of each event's producer, then those of enum value_key, unless no
 * event is kept.
 * ARGV: epoch, nonce, length of the stream, then for each event: sequence, scope (everyone,
 * user or room), target, exclude, event, and what the room keeps of it: empty, or "OPERATION
 * MAX_VALUES MAX_BYTES MAX_TOTAL_BYTES BYTES TYPE\nKEY". The operations are k (keeps the event
 * under its key), n (keeps it among the newest), r (removes the key's event) and a (removes
 * all). Returns the position of each event, 0 for an event that was in the stream before. If an
 * event causes an error, the events before it are stored. If the values cannot be kept, they are
 * deleted, and the events are stored nevertheless. */
extern const char script_append[];

/* The digest of script_append (SHA-1), for EVALSHA. */
extern const char script_append_digest[];

/* Reads a part of what rooms keep.
 * KEYS: state, values, order. ARGV: where to begin ("0" at first), the last position, a number of
 * bytes. Returns the epoch, where the next part begins ("": this was the last one), then fields and
 * their values alternately, up to the last position, and no more bytes than that, unless it is one
 * value. A value may be in several parts; values that change meanwhile may be in none. */
extern const char script_values[];

/* Keeps values.
 * KEYS: those of the values. ARGV: for each the rank, the lifetime in milliseconds, and the
 * value; an empty one is removed. A value is stored behind its rank and a blank, and does not
 * replace one of a higher rank. */
extern const char script_remember[];

/* Writes a node's figures, and removes those that have expired.
 * KEYS: nodes, expiries. ARGV: the node's name, its JSON text, its lifetime in milliseconds,
 * the digest of the text that it wrote before, or nothing. Returns the digest of the text, and
 * 1 if another text than that was there: another process has the same name; else 0. */
extern const char script_heartbeat[];

/* Reads a part of the list of nodes.
 * KEYS: nodes. ARGV: a name, a number of bytes.
 * Returns names and texts alternately, ordered by name, beginning with that name: at least one
 * node, and no more bytes than that. If there are more nodes, the last element is the name of
 * the next. */
extern const char script_nodes[];

#endif
