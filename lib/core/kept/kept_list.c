/* kept_list.c: the kept answers of all clients: their lists and limits. Not here: what an answer is
 * kept for (kept_answers.c). */
#include "core/kept/kept_list.h"

#include <string.h>

#include "core/kept/kept_clients.h"

enum {
    EXPIRED_MAX =
        16,       /* answers that one call removes for their age: others wait for the lock */
    USER_PART = 8 /* of all bytes: what one user can take */
};

static void account(struct kept_answers *kept, struct kept_answer *answer, size_t bytes)
{
    uint64_t more = (uint64_t)bytes - answer->bytes; /* wraps around if it is less */

    answer->client->bytes += (size_t)more;
    kept_count_bytes(kept, answer->client->user, more);
    answer->bytes = bytes;
}

/* --- what is not answered -------------------------------------------------------------------- */

static struct kept_answer **pending_bucket(struct kept_answers *kept, uint64_t number)
{
    return &kept->pending[number % KEPT_PENDING_BUCKETS];
}

static void remove_pending(struct kept_answers *kept, struct kept_answer *answer)
{
    struct kept_answer **link = pending_bucket(kept, answer->number);

    if (answer->number == 0)
        return;
    while (*link != answer)
        link = &(*link)->next_pending;
    *link = answer->next_pending;
}

struct kept_answer *kept_list_find_pending(const struct kept_answers *kept, ws_answer answer)
{
    struct kept_answer *found =
        kept->pending != NULL ? kept->pending[answer.number % KEPT_PENDING_BUCKETS] : NULL;

    lock_assert_held(&kept->lock);
    while (found != NULL && found->number != answer.number)
        found = found->next_pending;
    return found;
}

/* --- lists ----------------------------------------------------------------------------------- */

void kept_list_add(struct kept_answers *kept, struct kept_client *client,
                   struct kept_answer *answer)
{
    struct kept_user *user = client->user;
    struct kept_answer **pending = pending_bucket(kept, answer->number);

    lock_assert_held(&kept->lock);
    answer->client = client;
    *(client->last != NULL ? &client->last->next : &client->first) = answer;
    client->last = answer;
    client->count++;
    answer->older = kept->newest;
    *(kept->newest != NULL ? &kept->newest->newer : &kept->oldest) = answer;
    kept->newest = answer;
    answer->users_older = user->newest;
    *(user->newest != NULL ? &user->newest->users_newer : &user->oldest) = answer;
    user->newest = answer;
    if (answer->data == NULL && answer->number != 0) {
        answer->next_pending = *pending;
        *pending = answer;
    }
    account(kept, answer,
            sizeof *answer + (answer->number == 0 ? strlen(answer->origin) + 1 : 0) +
                (answer->data != NULL ? answer->length + 1 : 0));
}

static void unlink_from_client(struct kept_client *client, const struct kept_answer *answer)
{
    struct kept_answer **link = &client->first;
    struct kept_answer *before = NULL;

    while (*link != answer) {
        before = *link;
        link = &before->next;
    }
    *link = answer->next;
    if (client->last == answer)
        client->last = before;
    client->count--;
}

static void unlink_from_all(struct kept_answers *kept, const struct kept_answer *answer)
{
    struct kept_user *user = answer->client->user;

    *(answer->newer != NULL ? &answer->newer->older : &kept->newest) = answer->older;
    *(answer->older != NULL ? &answer->older->newer : &kept->oldest) = answer->newer;
    *(answer->users_newer != NULL ? &answer->users_newer->users_older : &user->newest) =
        answer->users_older;
    *(answer->users_older != NULL ? &answer->users_older->users_newer : &user->oldest) =
        answer->users_newer;
}

void kept_list_remove(struct kept_answers *kept, struct kept_answer *answer)
{
    struct kept_client *client = answer->client;

    lock_assert_held(&kept->lock);
    unlink_from_client(client, answer);
    unlink_from_all(kept, answer);
    if (answer->data == NULL)
        remove_pending(kept, answer);
    account(kept, answer, 0);
    memory_free(kept->memory, answer->data);
    memory_free(kept->memory, answer);
    kept_trim_client(kept, client);
}

bool kept_list_fill(struct kept_answers *kept, struct kept_answer *answer, const char *data,
                    size_t length)
{
    size_t bytes = answer->bytes + length + 1; /* of the copy, with its NUL */
    char *copy = bytes <= kept->max_bytes ? memory_copy_text(kept->memory, data, length) : NULL;

    if (copy == NULL) {
        kept_list_remove(kept, answer);
        return false;
    }
    remove_pending(kept, answer);
    answer->data = copy;
    answer->length = length;
    account(kept, answer, bytes);
    return true;
}

/* --- limits ---------------------------------------------------------------------------------- */

/* Never less than what one of its clients may have. */
static uint64_t bytes_of_user(const struct kept_answers *kept)
{
    uint64_t of_client = 2 * (uint64_t)kept->max_bytes;
    uint64_t part = kept->max_total / USER_PART;

    return part > of_client ? part : of_client;
}

/* Removes an answer for which there is no room beside `stays`. What other processes would still
 * know of its client takes room, too. */
static void give_way(struct kept_answers *kept, struct kept_answer *answer,
                     const struct kept_answer *stays)
{
    if (stays == NULL || answer->client != stays->client)
        kept_notes_forget(kept, answer->client);
    kept_list_remove(kept, answer);
}

/* Keeps to the limit of all clients' bytes; `stays`, unless it is NULL, is kept. */
static void limit_total(struct kept_answers *kept, const struct kept_answer *stays)
{
    while (kept->bytes > kept->max_total && kept->oldest != NULL && kept->oldest->newer != NULL)
        give_way(kept, kept->oldest != stays ? kept->oldest : kept->oldest->newer, stays);
}

/* Keeps to the limit of one user's bytes: who has many connections does not push out what others
 * have. `stays`, unless it is NULL, is kept, and else the last answer is. */
static void limit_user(struct kept_answers *kept, const struct kept_user *user,
                       const struct kept_answer *stays)
{
    uint64_t most = bytes_of_user(kept);

    while (user->bytes > most && user->oldest != NULL && user->oldest->users_newer != NULL)
        give_way(kept, user->oldest != stays ? user->oldest : user->oldest->users_newer, stays);
}

void kept_list_limit_bytes(struct kept_answers *kept, ws_conn_id id)
{
    const struct kept_member *member = kept_find_member(kept, id);

    if (member != NULL)
        limit_user(kept, member->client->user, NULL);
    limit_total(kept, NULL);
}

/* Keeps to the limits of what one connection has sent; `answer`, which it has sent, stays. */
static void limit_sender(struct kept_answers *kept, const struct kept_answer *answer)
{
    struct kept_answer *next = answer->client->first;
    size_t bytes = 0;
    uint32_t count = 0;

    for (struct kept_answer *other = next; other != NULL; other = other->next)
        if (other->sender == answer->sender) {
            count++;
            bytes += other->bytes;
        }
    while (next != NULL && (count > kept->max_answers || bytes > kept->max_bytes)) {
        struct kept_answer *other = next;

        next = other->next;
        if (other != answer && other->sender == answer->sender) {
            count--;
            bytes -= other->bytes;
            kept_list_remove(kept, other);
        }
    }
}

/* What the client sends again is to find what its former connections sent, also while it sends
 * something else: so those have as much room again. */
void kept_list_limit(struct kept_answers *kept, const struct kept_answer *answer)
{
    struct kept_client *client = answer->client;

    limit_sender(kept, answer);
    while ((client->count > 2 * kept->max_answers ||
            client->bytes > 2 * (uint64_t)kept->max_bytes) &&
           client->count > 1)
        kept_list_remove(kept, client->first != answer ? client->first : client->first->next);
    limit_user(kept, client->user, answer);
    limit_total(kept, answer);
}

bool kept_is_expired(const struct kept_answers *kept, const struct kept_answer *answer,
                     uint64_t now_ms)
{
    return now_ms > answer->at_ms && now_ms - answer->at_ms > kept->max_age_ms;
}

void kept_list_expire(struct kept_answers *kept, uint64_t now_ms)
{
    for (int i = 0; i < EXPIRED_MAX; i++)
        if (kept->oldest != NULL && kept_is_expired(kept, kept->oldest, now_ms))
            kept_list_remove(kept, kept->oldest);
}
