/* texts.c: the JSON of presence: lists of members, and changes. */
#include "core/presence/state.h"

#include <string.h>

static void begin_member(struct buffer *buffer, const struct presence_member *member)
{
    if (buffer->length > 0 && buffer->data[buffer->length - 1] == '}')
        buffer_add_text(buffer, ",");
    buffer_add_text(buffer, "{\"user_id\":");
    buffer_add_json_string(buffer, presence_user(member), member->user_length);
}

static void add_member(struct buffer *buffer, const struct presence_member *member)
{
    begin_member(buffer, member);
    buffer_add_text(buffer, ",\"connections\":");
    buffer_add_number(buffer, presence_connections(member));
    buffer_add_text(buffer, ",\"state\":");
    if (member->state != NULL)
        buffer_add(buffer, member->state, member->state_length);
    else
        buffer_add_text(buffer, "null");
    buffer_add_text(buffer, "}");
}

static void add_count(struct buffer *buffer, const struct presence_room *room)
{
    buffer_add_text(buffer, "\"count\":");
    buffer_add_number(buffer, room->n_members);
}

void presence_add_list(struct buffer *buffer, const struct presence_room *room)
{
    buffer_add_text(buffer, "{");
    add_count(buffer, room);
    if (!room->is_big) {
        buffer_add_text(buffer, ",\"members\":[");
        for (const struct presence_member *member = room->first; member != NULL;
             member = member->next)
            if (presence_is_there(member))
                add_member(buffer, member);
        buffer_add_text(buffer, "]");
    }
    buffer_add_text(buffer, "}");
}

enum presence_change presence_change_of(const struct presence_member *member)
{
    if (!presence_is_there(member))
        return member->is_known || member->is_shown ? PRESENCE_LEFT : PRESENCE_SAME;
    if (!member->is_known)
        return PRESENCE_JOINED;
    return member->is_shown || member->has_new_state ||
                   member->known_connections != presence_connections(member)
               ? PRESENCE_CHANGED
               : PRESENCE_SAME;
}

/* The application has no part in the lists that clients receive in between. */
enum presence_change presence_change_to_report(const struct presence_member *member)
{
    if (!presence_is_there(member))
        return member->is_reported ? PRESENCE_LEFT : PRESENCE_SAME;
    if (!member->is_reported)
        return PRESENCE_JOINED;
    return member->has_new_state || member->known_connections != presence_connections(member)
               ? PRESENCE_CHANGED
               : PRESENCE_SAME;
}

static void add_changes_of(struct buffer *buffer, const char *name, enum presence_change kind,
                           struct presence_member *const *members, size_t n)
{
    buffer_add_text(buffer, "\"");
    buffer_add_text(buffer, name);
    buffer_add_text(buffer, "\":[");
    for (size_t i = 0; i < n; i++) {
        if (presence_change_of(members[i]) != kind)
            continue;
        if (kind == PRESENCE_LEFT) {
            begin_member(buffer, members[i]);
            buffer_add_text(buffer, "}");
        } else {
            add_member(buffer, members[i]);
        }
    }
    buffer_add_text(buffer, "],");
}

void presence_add_changes(struct buffer *buffer, const struct presence_room *room,
                          struct presence_member *const *members, size_t n)
{
    buffer_add_text(buffer, "{");
    if (n > 0) {
        add_changes_of(buffer, "joined", PRESENCE_JOINED, members, n);
        add_changes_of(buffer, "left", PRESENCE_LEFT, members, n);
        add_changes_of(buffer, "changed", PRESENCE_CHANGED, members, n);
    }
    add_count(buffer, room);
    buffer_add_text(buffer, "}");
}
