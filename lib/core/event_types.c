/* event_types.c: the names of the event types, and the room to which a type is routed. */
#include "core/event_types.h"

#include <string.h>

#include "base/utf8.h"

struct event_type *event_types_find(const struct event_types *types, const char *name)
{
    struct event_type *type;

    HASH_FIND_STR(types->table, name, type);
    return type;
}

int event_types_add(struct event_types *types, const char *name)
{
    const ws_allocator *memory = types->memory;
    struct event_type *type;
    size_t length;

    if (!name_text_valid(name))
        return WS_ERR_INVALID;
    if (event_types_find(types, name) != NULL)
        return WS_ERR_ALREADY;
    if (HASH_COUNT(types->table) >= EVENT_TYPES_MAX)
        return WS_ERR_LIMIT;
    length = strlen(name);
    type = memory_zalloc(memory, sizeof *type + length + 1);
    if (type == NULL)
        return WS_ERR_NO_MEMORY;
    memcpy(type->name, name, length + 1);
    HASH_ADD_KEYPTR(hh, types->table, type->name, length, type);
    if (type->hh.tbl == NULL) {
        memory_free(memory, type);
        return WS_ERR_NO_MEMORY;
    }
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
    const ws_allocator *memory = types->memory;
    struct event_type *type;
    struct event_type *next;

    HASH_ITER(hh, types->table, type, next)
    {
        HASH_DEL(types->table, type);
        memory_free(memory, type->room);
        memory_free(memory, type);
    }
}

int event_types_route(struct event_types *types, const char *name, const char *room)
{
    struct event_type *type;
    char *copy = NULL;

    if (name == NULL || (room != NULL && !name_text_valid(room)))
        return WS_ERR_INVALID;
    type = event_types_find(types, name);
    if (type == NULL)
        return WS_ERR_UNKNOWN_TYPE;
    if (room != NULL) {
        copy = memory_copy_text(types->memory, room, strlen(room));
        if (copy == NULL)
            return WS_ERR_NO_MEMORY;
    }
    memory_free(types->memory, type->room);
    type->room = copy;
    return WS_OK;
}
