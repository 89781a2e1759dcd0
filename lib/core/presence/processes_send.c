/* processes_send.c: sends other processes what this one has of presence. */
#include "core/presence/processes_send.h"

#include <string.h>

#include "core/sending/publish.h"

enum {
    ALIVE_MAX_DOUBLINGS = 4, /* of ALIVE_MS, while none comes back */
    TEXT_BYTES = 32768,      /* of an order, about */
    ORDERS_PER_BEAT = 16
};

bool processes_have_work(const struct presence *presence)
{
    return presence->manager->has_cluster &&
           (presence->unsent != NULL || presence->wants_all || presence->sends_all ||
            presence->is_sending_all || presence->n_wanted > 0 || presence->n_processes > 0 ||
            !presence->is_alone);
}

/* --- texts ----------------------------------------------------------------------------------- */

static void begin_order(struct buffer *buffer, const struct presence *presence,
                        const char *what)
{
    buffer_init(buffer, &presence->manager->memory);
    buffer_add_text(buffer, "{\"order\":\"" PRESENCE_ORDER);
    buffer_add_text(buffer, what);
    buffer_add_text(buffer, "\",\"process\":\"");
    buffer_add_text(buffer, presence->manager->process);
    buffer_add_text(buffer, "\",\"generation\":");
    buffer_add_number(buffer, presence->generation);
}

static void add_member(struct buffer *buffer, const struct presence_member *member)
{
    const struct presence_room *room = member->room;

    buffer_add_text(buffer, "{\"room\":");
    buffer_add_json_string(buffer, room->name, room->name_length);
    buffer_add_text(buffer, ",\"user\":");
    buffer_add_json_string(buffer, presence_user(member), member->user_length);
    buffer_add_text(buffer, ",\"n\":");
    buffer_add_number(buffer, presence_own(member));
    if (member->is_state_unsent) {
        buffer_add_text(buffer, ",\"state\":");
        buffer_add_text(buffer, member->state != NULL ? member->state : "null");
    }
    buffer_add_text(buffer, "}");
}

/* Ends the text and hands it to the carrier, and frees it. */
static bool publish_text(ws_manager *manager, struct buffer *buffer)
{
    bool is_sent;

    buffer_add_text(buffer, "}");
    is_sent = !buffer->failed && publish_order(manager, buffer->data, buffer->length) == WS_OK;
    buffer_free(buffer);
    return is_sent;
}

static bool send_plain(ws_manager *manager, const char *what)
{
    struct buffer buffer;

    manager_lock(manager);
    begin_order(&buffer, manager->presence, what);
    manager_unlock(manager);
    return publish_text(manager, &buffer);
}

/* --- what is due ----------------------------------------------------------------------------- */

/* Takes the next members that are unsent into the text. If it can't be sent then, everything is sent
 * anew. */
static void take_members(struct presence *presence, struct buffer *buffer)
{
    begin_order(buffer, presence, "");
    buffer_add_text(buffer, ",\"members\":[");
    while (presence->unsent != NULL && buffer->length < TEXT_BYTES && !buffer->failed) {
        struct presence_member *member = presence->unsent;

        if (buffer->data[buffer->length - 1] == '}')
            buffer_add_text(buffer, ",");
        add_member(buffer, member);
        presence->unsent = member->next_unsent;
        member->is_unsent = member->is_state_unsent = false;
        member->sent_connections = presence_own(member);
        presence_free_if_unused(presence, member);
    }
    buffer_add_text(buffer, "]");
    presence->is_alone = false;
}

static bool send_members(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    struct buffer buffer;
    bool is_sent;

    manager_lock(manager);
    take_members(presence, &buffer);
    manager_unlock(manager);
    is_sent = publish_text(manager, &buffer);
    if (!is_sent) {
        manager_lock(manager);
        presence->sends_all = true;
        manager_unlock(manager);
    }
    return is_sent;
}

static void note_own(void *node, void *user_data)
{
    struct presence_member *member = node;

    if (presence_own(member) == 0 || !member->room->is_listed)
        return;
    member->is_state_unsent = member->state != NULL;
    presence_note_unsent(user_data, member);
}

/* Begins to send everything. */
static bool begin_all(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    uint64_t position = 0;

    manager_lock(manager);
    presence->generation++;
    manager_unlock(manager);
    if (!send_plain(manager, "_begin"))
        return false;
    manager_lock(manager);
    while (name_table_walk(&presence->members, &position, note_own, presence))
        continue;
    presence->sends_all = false;
    presence->is_sending_all = true;
    presence->is_alone = false;
    manager_unlock(manager);
    return true;
}

struct wanting {
    struct presence *presence;
    struct buffer buffer;
    bool has_room;
};

/* Takes a room that is wanted. */
static void take_wanted(void *node, void *user_data)
{
    struct wanting *wanting = user_data;
    struct presence_room *room = node;

    if (!room->is_wanted || wanting->has_room)
        return;
    wanting->has_room = true;
    room->is_wanted = false;
    wanting->presence->n_wanted--;
    begin_order(&wanting->buffer, wanting->presence, "_wanted");
    buffer_add_text(&wanting->buffer, ",\"room\":");
    buffer_add_json_string(&wanting->buffer, room->name, room->name_length);
}

/* Asks for the members of a room. If that fails, all are asked for later. */
static bool send_wanted(ws_manager *manager)
{
    struct wanting wanting = {.presence = manager->presence};
    uint64_t position = 0;

    manager_lock(manager);
    while (!wanting.has_room &&
           name_table_walk(&wanting.presence->rooms, &position, take_wanted, &wanting))
        continue;
    manager_unlock(manager);
    if (!wanting.has_room || publish_text(manager, &wanting.buffer))
        return true;
    manager_lock(manager);
    wanting.presence->wants_all = true;
    manager_unlock(manager);
    return false;
}

/* What is to be sent next. */
enum due { DUE_NOTHING, DUE_WANTS_ALL, DUE_WANTED, DUE_ALL, DUE_MEMBERS, DUE_END, DUE_ALIVE };

static enum due next_due(ws_manager *manager)
{
    const struct presence *presence = manager->presence;
    enum due due = DUE_NOTHING;

    manager_lock(manager);
    if (presence->wants_all)
        due = DUE_WANTS_ALL;
    else if (presence->n_wanted > 0)
        due = DUE_WANTED;
    else if (presence->sends_all)
        due = DUE_ALL;
    else if (presence->unsent != NULL)
        due = DUE_MEMBERS;
    else if (presence->is_sending_all)
        due = DUE_END;
    else if (presence->clock_ms >= presence->alive_due_ms &&
             (presence->n_processes > 0 || !presence->is_alone))
        due = DUE_ALIVE;
    manager_unlock(manager);
    return due;
}

/* Before it is sent, as it may come back at once. As long as the stream stands still the carrier is
 * given fewer and fewer. */
static bool send_alive(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    uint32_t n_doublings;

    manager_lock(manager);
    n_doublings = presence->n_alive_sent > 0 ? presence->n_alive_sent - 1 : 0;
    if (n_doublings > ALIVE_MAX_DOUBLINGS)
        n_doublings = ALIVE_MAX_DOUBLINGS;
    presence->alive_due_ms = presence->clock_ms + ((uint64_t)ALIVE_MS << n_doublings);
    presence->n_alive_sent++;
    manager_unlock(manager);
    if (send_plain(manager, "_alive"))
        return true;
    manager_lock(manager);
    presence->alive_due_ms = presence->clock_ms;
    if (presence->n_alive_sent > 0)
        presence->n_alive_sent--;
    manager_unlock(manager);
    return false;
}

/* Notes that something was sent, or is to be sent later. */
static void note_sent(ws_manager *manager, enum due due)
{
    struct presence *presence = manager->presence;

    manager_lock(manager);
    if (due == DUE_WANTS_ALL)
        presence->wants_all = false;
    else if (due == DUE_END)
        presence->is_sending_all = false;
    manager_unlock(manager);
}

static bool send_due(ws_manager *manager, enum due due)
{
    switch (due) {
    case DUE_NOTHING:
        break;
    case DUE_WANTS_ALL:
        return send_plain(manager, "_wanted");
    case DUE_WANTED:
        return send_wanted(manager);
    case DUE_ALL:
        return begin_all(manager);
    case DUE_MEMBERS:
        return send_members(manager);
    case DUE_END:
        return send_plain(manager, "_end");
    case DUE_ALIVE:
        return send_alive(manager);
    }
    return false;
}

bool processes_send(ws_manager *manager)
{
    for (int n = 0; n < ORDERS_PER_BEAT; n++) {
        enum due due = next_due(manager);

        if (due == DUE_NOTHING || !send_due(manager, due))
            return true;
        note_sent(manager, due);
    }
    return false;
}
