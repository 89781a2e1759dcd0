/* table.c: the rooms with presence and their members, as tables. Not here: what a change means for
 * observers (changes.c). */
#include "core/presence/state.h"

#include <string.h>

enum { VISITED_AT_ONCE = 512 /* members under one hold of the lock */ };

struct presence_room *presence_find_room(const struct presence *presence, const char *name)
{
    return presence != NULL ? name_table_find(&presence->rooms, name, strlen(name)) : NULL;
}

static size_t room_bytes(const struct presence_room *room)
{
    size_t size = offsetof(struct presence_room, name) + room->name_length + 1;

    return size > sizeof *room ? size : sizeof *room;
}

struct presence_room *presence_add_room(struct presence *presence, const char *name)
{
    const ws_allocator *memory = &presence->manager->memory;
    struct presence_room *room = presence_find_room(presence, name);
    size_t length = strlen(name);

    if (room != NULL)
        return room;
    room = memory_zalloc(memory, sizeof *room + length + 1);
    if (room == NULL)
        return NULL;
    room->number = ++presence->n_rooms_made;
    room->name_length = (uint8_t)length;
    memcpy(room->name, name, length + 1);
    if (!name_table_add(&presence->rooms, room)) {
        memory_free(memory, room);
        return NULL;
    }
    presence->bytes += room_bytes(room);
    return room;
}

size_t presence_occupants(const struct presence *presence, const struct presence_room *room)
{
    struct registry *registry = &presence->manager->registry;
    const struct group *group;

    if (*room->name == '\0')
        return registry->n_occupied[GROUP_USER] > 0 ? presence->manager->n_connections : 0;
    group = registry_find(registry, GROUP_ROOM, room->name);
    return group != NULL ? group_count(group) : 0;
}

void presence_drop_list(struct presence_room *room)
{
    if (room->list != NULL)
        ws_message_unref(room->list);
    room->list = NULL;
}

void presence_free_room(struct presence *presence, struct presence_room *room)
{
    presence_drop_list(room);
    presence->bytes -= room_bytes(room);
    name_table_remove(&presence->rooms, room);
    memory_free(&presence->manager->memory, room);
}

/* Writes the key of a user in a room; returns its length. */
static size_t write_key(const struct presence_room *room, const char *user,
                        char key[PRESENCE_NUMBER + WS_NAME_MAX + 1])
{
    size_t length = strlen(user);

    memcpy(key, &room->number, PRESENCE_NUMBER);
    memcpy(key + PRESENCE_NUMBER, user, length + 1);
    return PRESENCE_NUMBER + length;
}

struct presence_member *presence_find_member(const struct presence *presence,
                                             const struct presence_room *room, const char *user)
{
    char key[PRESENCE_NUMBER + WS_NAME_MAX + 1];

    return name_table_find(&presence->members, key, write_key(room, user, key));
}

static size_t member_bytes(const struct presence_member *member)
{
    return sizeof *member + member->key_length + 1 + member->state_length;
}

/* About as many bytes as a member takes in a list: its name may need escapes. */
static size_t listed_bytes(const struct presence_member *member)
{
    return sizeof "{\"user_id\":\"\",\"connections\":4294967295,\"state\":}," +
           (size_t)2 * member->user_length + member->state_length;
}

static void link_member(struct presence *presence, struct presence_member *member)
{
    struct presence_room *room = member->room;

    member->next = room->first;
    if (member->next != NULL)
        member->next->previous = member;
    room->first = member;
    room->n_kept++;
    room->bytes += listed_bytes(member);
    presence->n_members++;
    presence->bytes += member_bytes(member);
}

int presence_link_member(struct presence *presence, struct presence_room *room,
                         const char *user, struct presence_member **member)
{
    const ws_manager_options *options = &presence->manager->options;
    const ws_allocator *memory = &presence->manager->memory;
    size_t length = strlen(user);
    struct presence_member *made;

    if ((options->max_presence_members > 0 &&
         presence->n_members >= options->max_presence_members) ||
        (options->max_presence_bytes > 0 && presence->bytes >= options->max_presence_bytes))
        return WS_ERR_LIMIT;
    made = memory_zalloc(memory, sizeof *made + PRESENCE_NUMBER + length + 1);
    if (made == NULL)
        return WS_ERR_NO_MEMORY;
    made->room = room;
    made->user_length = (uint8_t)length;
    made->key_length = (uint8_t)write_key(room, user, made->key);
    if (!name_table_add(&presence->members, made)) {
        memory_free(memory, made);
        return WS_ERR_NO_MEMORY;
    }
    link_member(presence, made);
    *member = made;
    return WS_OK;
}

static void free_parts(const ws_allocator *memory, struct presence_member *member)
{
    while (member->parts != NULL) {
        struct presence_part *part = member->parts;

        member->parts = part->next;
        memory_free(memory, part);
    }
}

/* Walks go on with the member after this one. */
static void pass(struct presence_room *room, const struct presence_member *member)
{
    if (room->to_note == member)
        room->to_note = member->next;
    if (room->to_send == member)
        room->to_send = member->next;
}

void presence_free_member(struct presence *presence, struct presence_member *member)
{
    const ws_allocator *memory = &presence->manager->memory;
    struct presence_room *room = member->room;

    pass(room, member);
    if (member->previous != NULL)
        member->previous->next = member->next;
    else
        room->first = member->next;
    if (member->next != NULL)
        member->next->previous = member->previous;
    room->n_kept--;
    room->bytes -= listed_bytes(member);
    presence->n_members--;
    presence->bytes -= member_bytes(member);
    name_table_remove(&presence->members, member);
    free_parts(memory, member);
    memory_free(memory, member->state);
    memory_free(memory, member);
}

void presence_visit_members(struct presence *presence, struct presence_room *room,
                            struct presence_member **cursor,
                            void (*visit)(struct presence *presence,
                                          struct presence_member *member))
{
    unsigned n = 0;

    manager_assert_locked(presence->manager);
    room->n_kept++; /* stays when its last member is freed */
    *cursor = room->first;
    while (*cursor != NULL) {
        struct presence_member *member = *cursor;

        *cursor = member->next;
        visit(presence, member);
        if (++n % VISITED_AT_ONCE == 0)
            manager_relock(presence->manager);
    }
    room->n_kept--;
}

void presence_replace_state(struct presence *presence, struct presence_member *member,
                            char *state, size_t length)
{
    memory_free(&presence->manager->memory, member->state);
    presence->bytes += length;
    presence->bytes -= member->state_length;
    member->room->bytes += length;
    member->room->bytes -= member->state_length;
    member->state = state;
    member->state_length = (uint16_t)length;
}

static void free_room(ws_manager *manager, struct presence_room *room)
{
    struct presence_member *next;

    for (struct presence_member *member = room->first; member != NULL; member = next) {
        next = member->next;
        free_parts(&manager->memory, member);
        memory_free(&manager->memory, member->state);
        memory_free(&manager->memory, member);
    }
    if (room->list != NULL)
        ws_message_unref(room->list);
    memory_free(&manager->memory, room->counting);
    memory_free(&manager->memory, room);
}

/* Frees it with the manager, which no thread uses then. */
static void free_all(ws_manager *manager)
{
    struct presence *presence = manager->presence;
    struct name_node *next;

    name_table_take_all(&presence->members);
    for (struct name_node *node = name_table_take_all(&presence->rooms); node != NULL;
         node = next) {
        next = node->next;
        free_room(manager, (struct presence_room *)(void *)node);
    }
    name_table_free(&presence->members);
    name_table_free(&presence->rooms);
    memory_free(&manager->memory, presence);
    manager->presence = NULL;
}

struct presence *presence_get(ws_manager *manager)
{
    struct presence *presence = manager->presence;

    manager_assert_locked(manager);
    if (presence != NULL)
        return presence;
    presence = memory_zalloc(&manager->memory, sizeof *presence);
    if (presence == NULL)
        return NULL;
    presence->manager = manager;
    presence->is_alone = true;
    memcpy(presence->epoch, manager->epoch, sizeof presence->epoch);
    /* A copy, because the registry's is changed after fork(). */
    memcpy(presence->secret, manager->registry.secret, sizeof presence->secret);
    name_table_init(&presence->rooms, &manager->memory, presence->secret,
                    offsetof(struct presence_room, name_length));
    name_table_init(&presence->members, &manager->memory, presence->secret,
                    offsetof(struct presence_member, key_length));
    manager->presence = presence;
    atomic_store(&manager->has_presence, true);
    manager->free_presence = free_all;
    return presence;
}
