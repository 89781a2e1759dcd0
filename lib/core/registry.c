/* registry.c: who is where: groups of connections (everyone, a user, a room) and their shares. */
#include "core/registry.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void registry_init(struct registry *registry, const ws_allocator *memory)
{
    registry->memory = memory;
    registry->unnamed[GROUP_EVERYONE].kind = GROUP_EVERYONE;
    registry->unnamed[GROUP_RAW].kind = GROUP_RAW;
}

static unsigned hash_name(const struct registry *registry, const char *name, size_t length)
{
    return (unsigned)XXH3_64bits_withSecret(name, length, registry->secret,
                                            sizeof registry->secret);
}

struct group *registry_find(struct registry *registry, enum group_kind kind, const char *name)
{
    struct group *group;
    size_t length;

    if (kind == GROUP_EVERYONE || kind == GROUP_RAW)
        return &registry->unnamed[kind];
    length = strlen(name);
    HASH_FIND_BYHASHVALUE(hh, registry->named[kind], name, length,
                          hash_name(registry, name, length), group);
    return group;
}

static struct group *add_group(struct registry *registry, enum group_kind kind,
                               const char *name)
{
    const ws_allocator *memory = registry->memory;
    size_t length = strlen(name);
    unsigned hash = hash_name(registry, name, length);
    struct group *group = memory_zalloc(memory, sizeof *group + length + 1);

    if (group == NULL)
        return NULL;
    group->kind = kind;
    group->name_length = length;
    group->name = (char *)(group + 1);
    memcpy(group->name, name, length);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, registry->named[kind], group->name, length, hash, group);
    if (group->hh.tbl == NULL) {
        memory_free(memory, group);
        return NULL;
    }
    return group;
}

static void remove_group_if_empty(struct registry *registry, struct group *group)
{
    const ws_allocator *memory = registry->memory;

    if (group->shares != NULL || group->name == NULL)
        return;
    HASH_DEL(registry->named[group->kind], group);
    memory_free(memory, group);
}

static struct share *add_share(const ws_allocator *memory, struct group *group, ws_loop *loop)
{
    struct share *share = memory_zalloc(memory, sizeof *share);

    if (share == NULL)
        return NULL;
    share->group = group;
    share->loop = loop;
    share->capacity = 1;
    share->members = &share->first;
    share->next = group->shares;
    group->shares = share;
    return share;
}

static void remove_share_if_unused(struct registry *registry, struct share *share)
{
    struct group *group = share->group;
    struct share **link = &group->shares;

    if (share->count > 0 || share->pins > 0)
        return;
    while (*link != share)
        link = &(*link)->next;
    *link = share->next;
    if (share->members != &share->first)
        memory_free(registry->memory, share->members);
    memory_free(registry->memory, share);
    remove_group_if_empty(registry, group);
}

struct share *registry_pin(struct registry *registry, enum group_kind kind, const char *name,
                           ws_loop *loop)
{
    const ws_allocator *memory = registry->memory;
    struct group *group = registry_find(registry, kind, name);
    struct share *share;

    if (group == NULL)
        group = add_group(registry, kind, name);
    if (group == NULL)
        return NULL;
    share = group->shares;
    while (share != NULL && share->loop != loop)
        share = share->next;
    if (share == NULL)
        share = add_share(memory, group, loop);
    if (share == NULL) {
        remove_group_if_empty(registry, group);
        return NULL;
    }
    share->pins++;
    return share;
}

void registry_unpin(struct registry *registry, struct share *share)
{
    share->pins--;
    remove_share_if_unused(registry, share);
}

static bool grow_members(struct registry *registry, struct share *share)
{
    const ws_allocator *memory = registry->memory;
    bool own = share->members != &share->first;
    size_t capacity = share->capacity;
    struct member *members = memory_grow(memory, own ? share->members : NULL,
                                         sizeof *share->members, share->count, 4, &capacity);

    if (members == NULL)
        return false;
    if (!own)
        members[0] = share->first;
    share->members = members;
    share->capacity = (uint32_t)capacity;
    return true;
}

bool registry_add(struct registry *registry, struct share *share, struct connection *connection,
                  uint32_t room)
{
    struct group *group = share->group;

    if (share->count == share->capacity && !grow_members(registry, share))
        return false;
    share->members[share->count++] = (struct member){connection, room};
    if (group->n_members++ == 0)
        registry->n_occupied[group->kind]++;
    return true;
}

/* A big block that has become mostly empty is given back by half; not at every removal, so that
 * a group that swings about a size costs nothing. A failure to shrink loses nothing. */
static void shrink_members(struct registry *registry, struct share *share)
{
    struct member *members;

    if (share->members == &share->first || share->capacity < 64 ||
        share->count >= share->capacity / 4)
        return;
    members =
        memory_realloc(registry->memory, share->members, share->capacity / 2 * sizeof *members);
    if (members != NULL) {
        share->members = members;
        share->capacity /= 2;
    }
}

const struct member *registry_remove(struct registry *registry, struct share *share,
                                     uint32_t place)
{
    struct group *group = share->group;
    uint32_t last = --share->count;

    if (--group->n_members == 0)
        registry->n_occupied[group->kind]--;
    if (place == last) {
        shrink_members(registry, share);
        remove_share_if_unused(registry, share);
        return NULL;
    }
    share->members[place] = share->members[last];
    shrink_members(registry, share);
    return &share->members[place];
}
