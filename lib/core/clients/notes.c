/* notes.c: gives a cluster's carrier what is kept of clients. */
#include "core/clients/notes.h"

#include "core/cluster/recall.h"
#include "core/costs.h"
#include "core/inbox.h"
#include "core/kept/kept_notes.h"

enum { FORGOTTEN_AT_ONCE = 64 };

/* Without a value: the note is forgotten. A carrier that takes no more now gets the client's next
 * note. */
static void give(const ws_manager *manager, ws_conn_id id, uint64_t rank,
                 const struct buffer *value)
{
    char name[CONNECTION_NAME_SIZE];
    char key[KEPT_KEY_SIZE];

    name[connection_name_write(manager->process, id, name)] = '\0';
    kept_note_key(name, key);
    cluster_remember(manager, key, rank, value, manager->options.kept_answers_ms);
}

void client_notes_forget(ws_manager *manager)
{
    for (int i = 0; i < FORGOTTEN_AT_ONCE; i++) {
        uint64_t rank = 0;
        ws_conn_id id = kept_note_take_forgotten(&manager->kept_answers, &rank);

        if (id == 0)
            return;
        give(manager, id, rank, NULL);
    }
}

void client_note_former(ws_loop *loop, ws_conn_id id, const char *user_id, const char *key)
{
    ws_manager *manager = loop->manager;
    struct kept_note note;

    if (kept_note_write_former(&manager->kept_answers, id, user_id, key, loop->timers.now_ms,
                               &note)) {
        give(manager, id, note.rank, &note.text);
        buffer_free(&note.text);
    }
    client_notes_forget(manager);
}

/* The loop whose turn this thread is in; NULL: none of this manager's. */
static ws_loop *running_loop(const ws_manager *manager)
{
    ws_loop *loop = loop_entered();

    return loop != NULL && loop->manager == manager && loop->running ? loop : NULL;
}

/* Gives the note, which goes to two connections if the client has come back; returns its bytes. */
static size_t give_note(ws_manager *manager, ws_conn_id id)
{
    struct kept_note note;
    size_t bytes = 0;

    if (!cluster_remembers(manager) || manager->kept_answers.max_answers == 0)
        return 0;
    if (kept_note_write(&manager->kept_answers, id, &note)) {
        for (size_t i = 0; i < 2 && note.ids[i] != 0; i++) {
            give(manager, note.ids[i], note.rank, &note.text);
            bytes += note.text.length;
        }
        buffer_free(&note.text);
    }
    client_notes_forget(manager);
    return bytes;
}

/* The client that causes it pays for it with what it may do in a turn: a small request can make the
 * note of many answers be written again. */
static uint32_t cost_of(size_t bytes)
{
    return (uint32_t)(bytes / INPUT_BYTES_PER_UNIT);
}

void client_note(ws_manager *manager, ws_conn_id id)
{
    loop_charge_running(manager, cost_of(give_note(manager, id)));
}

void client_note_soon(ws_manager *manager, ws_conn_id id)
{
    ws_loop *loop = running_loop(manager);
    struct to_note *to_note;

    if (loop == NULL || !cluster_remembers(manager)) {
        client_note(manager, id);
        return;
    }
    to_note = &loop->to_note;
    for (uint32_t i = 0; i < to_note->count; i++)
        if (to_note->ids[i] == id)
            return;
    if (to_note->count == TO_NOTE_MAX)
        notes_turn(loop);
    to_note->ids[to_note->count++] = id;
    /* Now, while it is known who causes it. */
    loop_charge(loop, cost_of(kept_note_bytes(&manager->kept_answers, id)));
}

void notes_turn(ws_loop *loop)
{
    for (uint32_t i = 0; i < loop->to_note.count; i++)
        give_note(loop->manager, loop->to_note.ids[i]);
    loop->to_note.count = 0;
}
