/* kept_returns.c: a client comes back, and its new connection finds what its former ones have
 * sent, also if that is still to be carried out. */
#include "core/kept/kept_returns.h"

#include <string.h>

#include "core/kept/kept_clients.h"
#include "core/kept/kept_list.h"

/* NULL, too, for another user's connection. */
static struct kept_member *find_of_user(const struct kept_answers *kept, ws_conn_id id,
                                        const char *user_id)
{
    struct kept_member *member = kept_find_member(kept, id);

    return member != NULL && strcmp(member->client->user->name, user_id) == 0 ? member : NULL;
}

bool kept_answers_hold(struct kept_answers *kept, ws_conn_id id, const char *user_id)
{
    struct kept_member *member;

    if (kept->max_answers == 0)
        return true;
    lock_acquire(&kept->lock);
    member = find_of_user(kept, id, user_id);
    if (member == NULL) {
        const struct kept_client *client = kept_add_client(kept, id, user_id);

        member = client != NULL ? client->newest_member : NULL;
    }
    if (member != NULL && !member->holds) {
        member->holds = true;
        member->client->n_holds++;
        atomic_fetch_add(&kept->n_holds, 1);
    }
    lock_release(&kept->lock);
    return member != NULL;
}

void kept_answers_ended(struct kept_answers *kept, ws_conn_id id)
{
    struct kept_member *member;

    if (atomic_load(&kept->n_holds) == 0)
        return;
    lock_acquire(&kept->lock);
    member = kept_find_member(kept, id);
    if (member != NULL && member->holds) {
        member->holds = false;
        member->client->n_holds--;
        atomic_fetch_sub(&kept->n_holds, 1);
        kept_trim_client(kept, member->client);
    }
    lock_release(&kept->lock);
}

bool kept_answers_prepare(struct kept_answers *kept, ws_conn_id former, const char *user_id,
                          struct kept_member **member)
{
    bool is_known;

    *member = NULL;
    /* Others learn a connection's id: without a user it does not prove who the client is. */
    if (former == 0 || user_id == NULL)
        return true;
    lock_acquire(&kept->lock);
    is_known = find_of_user(kept, former, user_id) != NULL;
    lock_release(&kept->lock);
    if (!is_known)
        return true;
    *member = memory_zalloc(kept->memory, sizeof **member);
    if (*member == NULL)
        return false;
    (*member)->id = former; /* until it is adopted */
    return true;
}

void kept_answers_adopt(struct kept_answers *kept, struct kept_member *member, ws_conn_id id)
{
    struct kept_member *former;

    if (member == NULL)
        return;
    lock_acquire(&kept->lock);
    former = kept_find_member(kept, member->id);
    if (former != NULL) {
        struct kept_client *client = former->client;

        kept_make_newest(former);
        kept_add_member(kept, client, member, id);
        kept_trim_client(kept, client);
        kept_list_limit_bytes(kept, id);
    }
    lock_release(&kept->lock);
    if (former == NULL)
        memory_free(kept->memory, member);
}

void kept_answers_drop(struct kept_answers *kept, struct kept_member *member)
{
    memory_free(kept->memory, member);
}
