/* event_types.c: the names of the event types, and the room to which each type is routed. */
#include "core/events/event_types.h"

#include <string.h>

#include "base/utf8.h"

/* The application names the types, never a client, so a plain hash is enough (FNV-1a). */
static size_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return (hash ^ hash >> 16) % EVENT_TYPE_BUCKETS;
}

static struct event_type *find(const struct event_types *types, const char *name)
{
    struct event_type *type =
        atomic_load_explicit(&types->buckets[bucket_of(name)], memory_order_acquire);

    while (type != NULL && strcmp(type->name, name) != 0)
        type = type->next;
    return type;
}

const struct event_type *event_types_find(const struct event_types *types, const char *name)
{
    return find(types, name);
}

int event_types_add(struct event_types *types, const char *name)
{
    _Atomic(struct event_type *) *bucket;
    struct event_type *type;
    size_t length;

    if (!name_text_valid(name))
        return WS_ERR_INVALID;
    if (find(types, name) != NULL)
        return WS_ERR_ALREADY;
    if (types->count >= EVENT_TYPES_MAX)
        return WS_ERR_LIMIT;
    length = strlen(name);
    type = memory_alloc(types->memory, sizeof *type + length + 1);
    if (type == NULL)
        return WS_ERR_NO_MEMORY;
    memcpy(type->name, name, length + 1);
    atomic_init(&type->room, NULL);
    bucket = &types->buckets[bucket_of(name)];
    type->next = atomic_load_explicit(bucket, memory_order_relaxed);
    atomic_store_explicit(bucket, type, memory_order_release);
    types->count++;
    return WS_OK;
}

int event_types_init(struct event_types *types, const ws_allocator *memory)
{
    static const char *const known[] = {
#define X(name) #name,
        EVENT_TYPE_TABLE(X)
#undef X
    };

    types->memory = memory;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int result = event_types_add(types, known[i]);

        if (result != WS_OK)
            return result;
    }
    return WS_OK;
}

void event_types_free(struct event_types *types)
{
    for (size_t i = 0; i < EVENT_TYPE_BUCKETS; i++) {
        struct event_type *type = atomic_load(&types->buckets[i]);

        while (type != NULL) {
            struct event_type *next = type->next;

            memory_free(types->memory, type);
            type = next;
        }
    }
    while (types->rooms != NULL) {
        struct routed_room *next = types->rooms->next;

        memory_free(types->memory, types->rooms);
        types->rooms = next;
    }
}

/* Stores the name of a room, once for each room, as long as the manager lives: another thread
 * may be reading it while the type is routed elsewhere. */
static const char *keep_room(struct event_types *types, const char *room)
{
    size_t size = strlen(room) + 1;
    struct routed_room *kept = types->rooms;

    while (kept != NULL && strcmp(kept->name, room) != 0)
        kept = kept->next;
    if (kept != NULL)
        return kept->name;
    kept = memory_alloc(types->memory, sizeof *kept + size);
    if (kept == NULL)
        return NULL;
    memcpy(kept->name, room, size);
    kept->next = types->rooms;
    types->rooms = kept;
    return kept->name;
}

int event_types_route(struct event_types *types, const char *name, const char *room)
{
    struct event_type *type;

    if (name == NULL || (room != NULL && !name_text_valid(room)))
        return WS_ERR_INVALID;
    type = find(types, name);
    if (type == NULL)
        return WS_ERR_UNKNOWN_TYPE;
    if (room != NULL) {
        room = keep_room(types, room);
        if (room == NULL)
            return WS_ERR_NO_MEMORY;
    }
    atomic_store_explicit(&type->room, room, memory_order_release);
    return WS_OK;
}
