/* kept_notes.h: notes of what is kept for a client, which a cluster's carrier remembers for the
 * process that the client comes back to. A note has the client's newest answers, and what is not
 * answered yet. There is one for each connection that has sent something, under the connection's
 * name. Not here: giving notes to the carrier, and asking for them (clients/notes.c,
 * clients/former.c).
 *
 * What a carrier is given counts among the bytes that are kept. What is not kept any more, because
 * of a limit, is forgotten there too. */
#ifndef WS_CORE_KEPT_KEPT_NOTES_H
#define WS_CORE_KEPT_KEPT_NOTES_H

#include "base/buffer.h"
#include "core/events/ids.h"
#include "core/kept/kept_state.h"

/* A note has at most so many bytes, so that a client that sends much does not cause much more. */
enum { KEPT_NOTE_MAX = 16384 };

struct kept_note {
    ws_conn_id ids[2]; /* of whom it is the note; the second may be 0 */
    uint64_t rank;     /* a note that was written later has a higher one */
    struct buffer text;
};

/* Writes the note of a connection's client. False if there is nothing to be noted, or memory ran
 * out. The caller frees the text. */
bool kept_note_write(struct kept_answers *kept, ws_conn_id id, struct kept_note *note);

/* The bytes of the notes that kept_note_write() would give the carrier, as they were last. */
size_t kept_note_bytes(struct kept_answers *kept, ws_conn_id id);

/* Writes the note of a connection whose client comes from another process, until its past is known:
 * it names the key of the client's former note, which readers ask for. False if memory ran out. */
bool kept_note_write_former(struct kept_answers *kept, ws_conn_id id, const char *user_id,
                            const char *key, uint64_t now_ms, struct kept_note *note);

/* The client's past is known: this note is forgotten, unless another one is written. */
void kept_note_end_former(struct kept_answers *kept, ws_conn_id id);

/* A connection whose note is to be forgotten, and was not written again; 0: there is none. */
ws_conn_id kept_note_take_forgotten(struct kept_answers *kept, uint64_t *rank);

/* An entry of a note. */
struct kept_entry {
    struct kept_digest digest;
    uint64_t age_ms;
    bool is_answered;
    bool is_error;
    /* The answer as JSON text, or if there is none yet, the key of the note that will have it. */
    const char *data;
    size_t length;
};

struct kept_note_reader {
    const char *at;
    const char *end;
    const char *key; /* of the note */
};

enum { KEPT_KEY_SIZE = 2 * CONNECTION_NAME_SIZE };

/* Begins to read the note that was found under a key, which must outlive the reader; false if it is
 * none of this user's. */
bool kept_note_begin(struct kept_note_reader *reader, const char *key, const char *text,
                     size_t length, const char *user_id);

/* Reads the key of a former note; false if the note names none. */
bool kept_note_read_former(struct kept_note_reader *reader, char key[KEPT_KEY_SIZE]);

/* Reads the next entry; false at the end, and before anything that is not valid. */
bool kept_note_next(struct kept_note_reader *reader, struct kept_entry *entry);

/* Keeps an entry for a connection whose client has come from another process. Returns who waits for
 * the answer in it. False if memory ran out. */
bool kept_answers_import(struct kept_answers *kept, ws_conn_id id, const char *user_id,
                         const struct kept_entry *entry, uint64_t now_ms, ws_answer *waiter);

/* Finds a note for which a connection waits, because it will have the answer of another process to
 * what the client has sent again: the next one behind the key `after`, in a fixed order that begins
 * again at its end. False if the connection waits for none. `key` may be `after`. */
bool kept_answers_awaited(struct kept_answers *kept, ws_conn_id id, const char *after,
                          char key[KEPT_KEY_SIZE]);

/* The key under which a carrier remembers the note of a connection, by its name. */
void kept_note_key(const char *name, char key[KEPT_KEY_SIZE]);

#endif
