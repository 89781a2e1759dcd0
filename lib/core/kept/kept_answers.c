/* kept_answers.c: the answers to what clients sent, kept for those that come back: what is
 * sent, and what it is answered with. Not here: the clients (kept_clients.c, kept_returns.c),
 * and the lists and their limits (kept_list.c). */
#include "core/kept/kept_answers.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/kept/kept_clients.h"
#include "core/kept/kept_list.h"

bool kept_answers_init(struct kept_answers *kept, const ws_allocator *memory,
                       const uint8_t secret[NAME_TABLE_SECRET])
{
    kept->memory = memory;
    memcpy(kept->secret, secret, sizeof kept->secret);
    name_table_init(&kept->users, memory, kept->secret,
                    offsetof(struct kept_user, name_length));
    return lock_init(&kept->lock);
}

void kept_answers_free(struct kept_answers *kept)
{
    lock_acquire(&kept->lock);
    while (kept->oldest != NULL)
        kept_list_remove(kept, kept->oldest);
    lock_release(&kept->lock);
    name_table_free(&kept->users);
    memory_free(kept->memory, kept->buckets);
    memory_free(kept->memory, kept->pending);
    memory_free(kept->memory, kept->forgotten);
    lock_destroy(&kept->lock);
}

static_assert(sizeof(XXH128_canonical_t) == sizeof(struct kept_digest), "a digest has room");

/* The digests of the parts, each of a fixed length, are one text: so the parts cannot be confused.
 * */
struct kept_digest kept_digest_of(const struct json_slice *parts, size_t n_parts)
{
    struct kept_digest digests[KEPT_PARTS_MAX + 1];

    assert(n_parts <= KEPT_PARTS_MAX);
    for (size_t i = 0; i <= n_parts; i++) {
        XXH128_hash_t hash = i < n_parts ? XXH3_128bits(parts[i].text, parts[i].length)
                                         : XXH3_128bits(digests, n_parts * sizeof *digests);
        XXH128_canonical_t canonical;

        XXH128_canonicalFromHash(&canonical, hash);
        memcpy(digests[i].bytes, canonical.digest, sizeof digests[i].bytes);
    }
    return digests[n_parts];
}

static bool is_same(const struct kept_answer *answer, const struct kept_digest *digest)
{
    return memcmp(&answer->digest, digest, sizeof *digest) == 0;
}

/* What another connection of the client has sent. */
static struct kept_answer *find_former(const struct kept_answers *kept, ws_conn_id id,
                                       const struct kept_digest *digest, uint64_t now_ms)
{
    const struct kept_member *member = kept_find_member(kept, id);
    struct kept_answer *answer = member != NULL ? member->client->first : NULL;

    while (answer != NULL && (answer->sender == id || !is_same(answer, digest) ||
                              kept_is_expired(kept, answer, now_ms)))
        answer = answer->next;
    return answer;
}

static uint32_t count_of(const struct kept_answers *kept, ws_conn_id id)
{
    const struct kept_member *member = kept_find_member(kept, id);

    return member != NULL ? member->client->count : 0;
}

static bool add(struct kept_answers *kept, ws_answer answer, const char *user_id,
                const struct kept_digest *digest, uint64_t now_ms)
{
    struct kept_answer *made = memory_zalloc(kept->memory, sizeof *made);
    struct kept_client *client =
        made != NULL ? kept_client_of(kept, answer.connection, user_id) : NULL;

    if (client == NULL) {
        memory_free(kept->memory, made);
        return false;
    }
    made->sender = answer.connection;
    made->number = answer.number;
    made->digest = *digest;
    made->at_ms = now_ms;
    kept_list_add(kept, client, made);
    kept_list_limit(kept, made);
    return true;
}

/* A former connection of the client has sent the message. From now on the answer belongs to this
 * connection: a second message with its ref is a new one, and is carried out. */
static enum kept_state repeat(struct kept_answers *kept, struct kept_answer *former,
                              ws_answer answer, struct kept_text *text)
{
    if (former->data != NULL) {
        text->data = memory_copy_text(kept->memory, former->data, former->length);
        text->length = former->length;
        text->is_error = former->is_error;
        if (text->data == NULL)
            return KEPT_NO_MEMORY;
    } else {
        former->waiter = answer;
    }
    former->sender = answer.connection;
    if (former->data != NULL)
        return KEPT_ANSWERED;
    return former->number != 0 ? KEPT_PENDING : KEPT_ELSEWHERE;
}

enum kept_state kept_answers_begin(struct kept_answers *kept, ws_answer answer,
                                   const char *user_id, const struct kept_digest *digest,
                                   uint64_t now_ms, struct kept_text *text)
{
    enum kept_state state = KEPT_NEW;
    struct kept_answer *former;

    if (kept->max_answers == 0 || user_id == NULL)
        return KEPT_NEW;
    lock_acquire(&kept->lock);
    if (now_ms > kept->now_ms)
        kept->now_ms = now_ms;
    kept_list_expire(kept, now_ms);
    former = find_former(kept, answer.connection, digest, now_ms);
    if (former != NULL)
        state = repeat(kept, former, answer, text);
    else if (!add(kept, answer, user_id, digest, now_ms))
        state = KEPT_NO_MEMORY;
    text->n_kept = count_of(kept, answer.connection);
    lock_release(&kept->lock);
    return state;
}

/* Takes an answer from those that are waited for. Without data it is forgotten. */
static ws_answer settle(struct kept_answers *kept, ws_answer answer, bool is_error,
                        const char *data, size_t length, bool *is_news)
{
    ws_answer waiter = {0};
    struct kept_answer *found;

    *is_news = false;
    if (kept->max_answers == 0)
        return waiter;
    lock_acquire(&kept->lock);
    found = kept_list_find_pending(kept, answer);
    if (found != NULL) {
        *is_news = data != NULL || found->is_noted;
        waiter = found->waiter;
        found->is_error = is_error;
        if (data == NULL)
            kept_list_remove(kept, found);
        else if (kept_list_fill(kept, found, data, length))
            kept_list_limit(kept, found);
    }
    lock_release(&kept->lock);
    return waiter;
}

ws_answer kept_answers_end(struct kept_answers *kept, ws_answer answer, bool is_error,
                           const char *data, size_t length, bool *is_news)
{
    return settle(kept, answer, is_error, data, length, is_news);
}

ws_answer kept_answers_forget(struct kept_answers *kept, ws_answer answer, bool *is_news)
{
    return settle(kept, answer, false, NULL, 0, is_news);
}
