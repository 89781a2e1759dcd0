/* registry.c: users and rooms as groups of connections, and their shares. */
#include "core/groups/registry.h"

#include <string.h>

void registry_init(struct registry *registry, const ws_allocator *memory)
{
    registry->memory = memory;
    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++)
        name_table_init(&registry->tables[kind], memory, registry->secret,
                        offsetof(struct group, name_length));
}

void registry_free(struct registry *registry)
{
    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++)
        name_table_free(&registry->tables[kind]);
}

void registry_change_secret(struct registry *registry, const uint8_t secret[NAME_TABLE_SECRET])
{
    struct name_node *names[N_GROUP_KINDS];

    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++)
        names[kind] = name_table_take_all(&registry->tables[kind]);
    memcpy(registry->secret, secret, sizeof registry->secret);
    for (size_t kind = 0; kind < N_GROUP_KINDS; kind++)
        name_table_put_all(&registry->tables[kind], names[kind]);
}

struct group *registry_find(struct registry *registry, enum group_kind kind, const char *name)
{
    return name_table_find(&registry->tables[kind], name, strlen(name));
}

static struct group *add_group(struct registry *registry, enum group_kind kind,
                               const char *name)
{
    const ws_allocator *memory = registry->memory;
    size_t length = strlen(name);
    size_t size = offsetof(struct group, name) + length + 1;
    struct group *group = memory_alloc(memory, size > sizeof *group ? size : sizeof *group);

    if (group == NULL)
        return NULL;
    *group = (struct group){.first = {.group = group, .capacity = 1},
                            .kind = (uint8_t)kind,
                            .name_length = (uint8_t)length};
    memcpy(group->name, name, length + 1);
    if (!name_table_add(&registry->tables[kind], group)) {
        memory_free(memory, group);
        return NULL;
    }
    return group;
}

static void remove_group_if_empty(struct registry *registry, struct group *group)
{
    if (group_shares(group) != NULL)
        return;
    name_table_remove(&registry->tables[group->kind], group);
    memory_free(registry->memory, group);
}

static struct share *add_share(const ws_allocator *memory, struct group *group, ws_loop *loop)
{
    struct share *share = &group->first;

    if (share->loop == NULL) {
        share->loop = loop;
        return share;
    }
    share = memory_alloc(memory, sizeof *share);
    if (share == NULL)
        return NULL;
    *share =
        (struct share){.group = group, .loop = loop, .next = group->first.next, .capacity = 1};
    group->first.next = share;
    return share;
}

static void remove_share_if_unused(struct registry *registry, struct share *share)
{
    struct group *group = share->group;
    struct share *before = &group->first;

    if (share->count > 0 || share->pins > 0)
        return;
    if (share->capacity > 1)
        memory_free(registry->memory, share->members.many);
    if (share == &group->first) {
        share->loop = NULL;
        share->capacity = 1;
    } else {
        while (before->next != share)
            before = before->next;
        before->next = share->next;
        memory_free(registry->memory, share);
    }
    remove_group_if_empty(registry, group);
}

static struct share *share_of(struct group *group, const ws_loop *loop)
{
    struct share *share = group_shares(group);

    while (share != NULL && share->loop != loop)
        share = share->next;
    return share;
}

struct share *registry_find_share(struct registry *registry, enum group_kind kind,
                                  const char *name, const ws_loop *loop)
{
    struct group *group = registry_find(registry, kind, name);

    return group != NULL ? share_of(group, loop) : NULL;
}

struct share *registry_pin(struct registry *registry, enum group_kind kind, const char *name,
                           ws_loop *loop)
{
    struct group *group = registry_find(registry, kind, name);
    struct share *share;

    if (group == NULL)
        group = add_group(registry, kind, name);
    if (group == NULL)
        return NULL;
    share = share_of(group, loop);
    if (share == NULL)
        share = add_share(registry->memory, group, loop);
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
    struct connection *only = share->members.only;
    bool one = share->capacity == 1;
    size_t capacity = share->capacity;
    struct connection **many =
        memory_grow(memory, one ? NULL : share->members.many, sizeof(struct connection *),
                    share->count, 3, &capacity);

    if (many == NULL)
        return false;
    if (one)
        many[0] = only;
    share->members.many = many;
    share->capacity = (uint32_t)capacity;
    return true;
}

bool registry_add(struct registry *registry, struct share *share, struct connection *connection)
{
    if (share->count == share->capacity && !grow_members(registry, share))
        return false;
    if (share->count == 0 && group_count(share->group) == 0)
        registry->n_occupied[share->group->kind]++;
    share_members(share)[share->count++] = connection;
    return true;
}

/* Halves a big block that has become mostly empty. It does not shrink at every removal, so that
 * a group whose size varies around a value costs nothing. A failure to shrink is harmless. */
static void shrink_members(struct registry *registry, struct share *share)
{
    struct connection **many;

    if (share->capacity < 64 || share->count >= share->capacity / 4)
        return;
    many = memory_realloc(registry->memory, share->members.many,
                          share->capacity / 2 * sizeof(struct connection *));
    if (many != NULL) {
        share->members.many = many;
        share->capacity /= 2;
    }
}

struct connection *registry_remove(struct registry *registry, struct share *share,
                                   uint32_t place)
{
    struct connection **members = share_members(share);
    struct connection *moved = members[--share->count];

    if (share->count == 0 && group_count(share->group) == 0)
        registry->n_occupied[share->group->kind]--;
    if (place == share->count) {
        shrink_members(registry, share);
        remove_share_if_unused(registry, share);
        return NULL;
    }
    members[place] = moved;
    shrink_members(registry, share);
    return moved;
}

size_t group_count(const struct group *group)
{
    size_t count = 0;

    for (const struct share *share = &group->first; share != NULL; share = share->next)
        count += share->count;
    return count;
}
