/* kept_clients.c: the users, clients and connections for which answers are kept. Not here: the
 * answers (kept_list.c), and how a client comes back (kept_returns.c). */
#include "core/kept/kept_clients.h"

#include <string.h>

enum {
    N_BUCKETS = 4096,
    BUCKET_BITS = 12,
    MEMBERS_MAX = 8,     /* connections of a client that it may come back from */
    FORGOTTEN_MAX = 4096 /* notes to be forgotten at once; others end with their time */
};

void kept_count_bytes(struct kept_answers *kept, struct kept_user *user, uint64_t bytes)
{
    kept->bytes += bytes;
    user->bytes += bytes;
}

static void uncount_bytes(struct kept_answers *kept, struct kept_user *user, size_t bytes)
{
    kept_count_bytes(kept, user, -(uint64_t)bytes);
}

/* --- connections ----------------------------------------------------------------------------- */

/* Makes the tables, unless they exist; false if memory ran out. */
static bool make_tables(struct kept_answers *kept)
{
    if (kept->buckets == NULL)
        kept->buckets = memory_zalloc(kept->memory, N_BUCKETS * sizeof(struct kept_member *));
    if (kept->pending == NULL)
        kept->pending =
            memory_zalloc(kept->memory, KEPT_PENDING_BUCKETS * sizeof(struct kept_answer *));
    return kept->buckets != NULL && kept->pending != NULL;
}

/* Clients do not choose the ids. */
static struct kept_member **bucket_of(const struct kept_answers *kept, ws_conn_id id)
{
    return &kept->buckets[id * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BUCKET_BITS)];
}

struct kept_member *kept_find_member(const struct kept_answers *kept, ws_conn_id id)
{
    struct kept_member *member = kept->buckets != NULL ? *bucket_of(kept, id) : NULL;

    lock_assert_held(&kept->lock);
    while (member != NULL && member->id != id)
        member = member->next;
    return member;
}

static void forget_note(struct kept_answers *kept, struct kept_member *member)
{
    struct kept_forgotten *grown = kept->forgotten;

    lock_assert_held(&kept->lock);
    if (member->note_bytes == 0)
        return;
    uncount_bytes(kept, member->client->user, member->note_bytes);
    member->note_bytes = 0;
    if (kept->n_forgotten >= FORGOTTEN_MAX)
        return;
    grown = memory_grow(kept->memory, grown, sizeof *grown, kept->n_forgotten, 16,
                        &kept->forgotten_capacity);
    if (grown == NULL)
        return;
    kept->forgotten = grown;
    grown[kept->n_forgotten++] = (struct kept_forgotten){member->id, ++kept->n_notes};
}

void kept_notes_forget(struct kept_answers *kept, const struct kept_client *client)
{
    for (struct kept_member *member = client->newest_member; member != NULL;
         member = member->older)
        forget_note(kept, member);
}

static void remove_member(struct kept_answers *kept, struct kept_member *member)
{
    struct kept_member **link = bucket_of(kept, member->id);

    while (*link != member)
        link = &(*link)->next;
    *link = member->next;
    if (member->holds) {
        member->client->n_holds--;
        atomic_fetch_sub(&kept->n_holds, 1);
    }
    forget_note(kept, member);
    uncount_bytes(kept, member->client->user, sizeof *member);
    memory_free(kept->memory, member);
}

void kept_add_member(struct kept_answers *kept, struct kept_client *client,
                     struct kept_member *member, ws_conn_id id)
{
    struct kept_member **bucket = bucket_of(kept, id);
    struct kept_member *last = member;

    member->id = id;
    member->next = *bucket;
    *bucket = member;
    member->client = client;
    member->older = client->newest_member;
    client->newest_member = member;
    kept_count_bytes(kept, client->user, sizeof *member);
    for (int i = 1; i < MEMBERS_MAX && last != NULL; i++)
        last = last->older;
    if (last != NULL && last->older != NULL) {
        remove_member(kept, last->older);
        last->older = NULL;
    }
}

void kept_make_newest(struct kept_member *member)
{
    struct kept_member **link = &member->client->newest_member;

    while (*link != member)
        link = &(*link)->older;
    *link = member->older;
    member->older = member->client->newest_member;
    member->client->newest_member = member;
}

/* --- users ----------------------------------------------------------------------------------- */

static size_t size_of(const struct kept_user *user)
{
    return sizeof *user + user->name_length + 1u;
}

/* The user with this name, which is made if there is none; NULL if memory ran out. */
static struct kept_user *user_of(struct kept_answers *kept, const char *name)
{
    size_t length = strlen(name);
    struct kept_user *user = name_table_find(&kept->users, name, length);

    if (user != NULL)
        return user;
    user = memory_zalloc(kept->memory, sizeof *user + length + 1);
    if (user == NULL)
        return NULL;
    user->name_length = (uint8_t)length;
    memcpy(user->name, name, length);
    if (!name_table_add(&kept->users, user)) {
        memory_free(kept->memory, user);
        return NULL;
    }
    kept_count_bytes(kept, user, size_of(user));
    return user;
}

static void trim_user(struct kept_answers *kept, struct kept_user *user)
{
    if (user->n_clients > 0)
        return;
    uncount_bytes(kept, user, size_of(user));
    name_table_remove(&kept->users, user);
    memory_free(kept->memory, user);
}

/* --- clients --------------------------------------------------------------------------------- */

struct kept_client *kept_add_client(struct kept_answers *kept, ws_conn_id id,
                                    const char *user_id)
{
    struct kept_member *member = memory_zalloc(kept->memory, sizeof *member);
    struct kept_client *client = memory_zalloc(kept->memory, sizeof *client);
    struct kept_user *user = NULL;

    if (member != NULL && client != NULL && make_tables(kept))
        user = user_of(kept, user_id);
    if (user == NULL) {
        memory_free(kept->memory, member);
        memory_free(kept->memory, client);
        return NULL;
    }
    client->user = user;
    user->n_clients++;
    kept_count_bytes(kept, user, sizeof *client);
    kept_add_member(kept, client, member, id);
    return client;
}

struct kept_client *kept_client_of(struct kept_answers *kept, ws_conn_id id,
                                   const char *user_id)
{
    const struct kept_member *member = kept_find_member(kept, id);

    return member != NULL ? member->client : kept_add_client(kept, id, user_id);
}

void kept_trim_client(struct kept_answers *kept, struct kept_client *client)
{
    struct kept_user *user = client->user;

    if (client->count > 0 || client->n_holds > 0)
        return;
    while (client->newest_member != NULL) {
        struct kept_member *member = client->newest_member;

        client->newest_member = member->older;
        remove_member(kept, member);
    }
    uncount_bytes(kept, user, sizeof *client);
    memory_free(kept->memory, client);
    user->n_clients--;
    trim_user(kept, user);
}
