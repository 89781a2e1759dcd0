/* kept_notes.c: notes of what is kept for clients: writes and reads them. */
#include "core/kept/kept_notes.h"

#include <string.h>

#include "base/json_text.h"
#include "core/kept/kept_clients.h"
#include "core/kept/kept_list.h"

/* A note is text: its version and the user's name, then for each answer
 *
 *     DIGEST AGE KIND LENGTH
 *     DATA
 *
 * with the digest in hexadecimal digits, the age in milliseconds, and the kind `a`, `e` (an error)
 * or `p` (not answered). The data of `p` is the key of another process's note that will have the
 * answer, or empty if this one will. Each line ends with LF. While the client's past is not known,
 * instead:
 *
 *     continues KEY */
static const char version[] = "1 ";
static const char continues[] = "continues ";

enum {
    ENTRY_MAX = 32 + 20 + 20 + 8, /* bytes of an entry beside its data */
    DIGITS_MAX = 15               /* of a number */
};

static const char digits[] = "0123456789abcdef";

static void write_hex(const void *bytes, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[((const uint8_t *)bytes)[i] >> 4];
        text[2 * i + 1] = digits[((const uint8_t *)bytes)[i] & 15];
    }
}

/* The names of sessions of Socket.IO, which it remembers too, have an even number of digits. */
void kept_note_key(const char *name, char key[KEPT_KEY_SIZE])
{
    size_t length = strnlen(name, CONNECTION_NAME_SIZE - 1);

    key[0] = 'a';
    write_hex(name, length, key + 1);
    key[1 + 2 * length] = '\0';
}

/* --- forgetting ------------------------------------------------------------------------------ */

ws_conn_id kept_note_take_forgotten(struct kept_answers *kept, uint64_t *rank)
{
    ws_conn_id id = 0;

    lock_acquire(&kept->lock);
    while (id == 0 && kept->n_forgotten > 0) {
        struct kept_forgotten last = kept->forgotten[--kept->n_forgotten];
        const struct kept_member *member = kept_find_member(kept, last.id);

        *rank = last.rank;
        if (member == NULL || member->note_bytes == 0) /* else it was noted again */
            id = last.id;
    }
    lock_release(&kept->lock);
    return id;
}

/* --- writing --------------------------------------------------------------------------------- */

/* The answer, or where it will be. */
static struct json_slice data_of(const struct kept_answer *answer)
{
    if (answer->data != NULL)
        return (struct json_slice){answer->data, answer->length};
    if (answer->number == 0)
        return (struct json_slice){answer->origin, strlen(answer->origin)};
    return (struct json_slice){"", 0};
}

static size_t size_of(const struct kept_answer *answer)
{
    return ENTRY_MAX + data_of(answer).length;
}

static void write_entry(const struct kept_answers *kept, struct kept_answer *answer,
                        struct buffer *text)
{
    struct json_slice data = data_of(answer);
    char digest[2 * sizeof answer->digest.bytes];

    write_hex(answer->digest.bytes, sizeof answer->digest.bytes, digest);
    buffer_add(text, digest, sizeof digest);
    buffer_add_text(text, " ");
    buffer_add_number(text, kept->now_ms > answer->at_ms ? kept->now_ms - answer->at_ms : 0);
    buffer_add_text(text, answer->data == NULL ? " p " : answer->is_error ? " e " : " a ");
    buffer_add_number(text, data.length);
    buffer_add_text(text, "\n");
    buffer_add(text, data.text, data.length);
    buffer_add_text(text, "\n");
    answer->is_noted = true;
}

static void write_head(struct buffer *text, const char *user_id, size_t length)
{
    buffer_add_text(text, version);
    buffer_add(text, user_id, length);
    buffer_add_text(text, "\n");
}

/* The newest answers, as many as have room. */
static void write_note(const struct kept_answers *kept, const struct kept_client *client,
                       struct buffer *text)
{
    struct kept_answer *answer = client->first;
    size_t bytes = sizeof version + client->user->name_length;

    for (const struct kept_answer *other = answer; other != NULL; other = other->next)
        bytes += size_of(other);
    write_head(text, client->user->name, client->user->name_length);
    for (; answer != NULL; answer = answer->next) {
        if (bytes <= KEPT_NOTE_MAX)
            write_entry(kept, answer, text);
        else
            bytes -= size_of(answer);
    }
}

static void add_id(struct kept_answers *kept, struct kept_member *member,
                   struct kept_note *note, int at)
{
    note->ids[at] = member->id;
    kept_count_bytes(kept, member->client->user,
                     (uint64_t)note->text.length - member->note_bytes);
    member->note_bytes = note->text.length;
}

static struct kept_answer *past_of(const struct kept_client *client)
{
    struct kept_answer *answer = client->first;

    while (answer != NULL && !answer->is_past)
        answer = answer->next;
    return answer;
}

/* A client may come back from its newest connection, or from the one before, if it has not learned
 * of the newest. */
static bool note_client(struct kept_answers *kept, struct kept_member *member,
                        struct kept_note *note)
{
    struct kept_client *client = member->client;
    struct kept_answer *past = past_of(client);

    if (past != NULL && client->count == 1)
        return false;
    if (past != NULL)
        kept_list_remove(kept, past);
    if (client->count == 0) { /* it is held, and its only message was refused */
        kept_notes_forget(kept, client);
        return false;
    }
    write_note(kept, client, &note->text);
    if (note->text.failed)
        return false;
    note->rank = ++kept->n_notes;
    add_id(kept, client->newest_member, note, 0);
    if (member != client->newest_member)
        add_id(kept, member, note, 1);
    kept_list_limit(kept, client->last);
    return true;
}

bool kept_note_write(struct kept_answers *kept, ws_conn_id id, struct kept_note *note)
{
    struct kept_member *member;
    bool is_written;

    *note = (struct kept_note){.rank = 0};
    buffer_init(&note->text, kept->memory);
    lock_acquire(&kept->lock);
    member = kept_find_member(kept, id);
    is_written = member != NULL && note_client(kept, member, note);
    lock_release(&kept->lock);
    if (!is_written)
        buffer_free(&note->text);
    return is_written;
}

size_t kept_note_bytes(struct kept_answers *kept, ws_conn_id id)
{
    const struct kept_member *member;
    size_t bytes = 0;

    lock_acquire(&kept->lock);
    member = kept_find_member(kept, id);
    if (member != NULL) {
        const struct kept_member *newest = member->client->newest_member;

        bytes = newest->note_bytes + (member != newest ? member->note_bytes : 0);
    }
    lock_release(&kept->lock);
    return bytes;
}

/* Counts the note in `note`, which names a key. */
static bool add_past(struct kept_answers *kept, const char *user_id, const char *key,
                     uint64_t now_ms, struct kept_note *note)
{
    size_t of_key = strlen(key) + 1;
    struct kept_answer *made = memory_zalloc(kept->memory, sizeof *made + of_key);
    struct kept_client *client =
        made != NULL ? kept_client_of(kept, note->ids[0], user_id) : NULL;

    if (client == NULL) {
        memory_free(kept->memory, made);
        return false;
    }
    made->is_past = true;
    made->at_ms = now_ms;
    memcpy(made->origin, key, of_key);
    kept_list_add(kept, client, made);
    note->rank = ++kept->n_notes;
    add_id(kept, kept_find_member(kept, note->ids[0]), note, 0);
    kept_list_limit(kept, made);
    return true;
}

bool kept_note_write_former(struct kept_answers *kept, ws_conn_id id, const char *user_id,
                            const char *key, uint64_t now_ms, struct kept_note *note)
{
    bool is_written;

    *note = (struct kept_note){.ids = {id}};
    buffer_init(&note->text, kept->memory);
    write_head(&note->text, user_id, strlen(user_id));
    buffer_add_text(&note->text, continues);
    buffer_add_text(&note->text, key);
    buffer_add_text(&note->text, "\n");
    lock_acquire(&kept->lock);
    kept_list_expire(kept, now_ms);
    is_written = !note->text.failed && add_past(kept, user_id, key, now_ms, note);
    lock_release(&kept->lock);
    if (!is_written)
        buffer_free(&note->text);
    return is_written;
}

void kept_note_end_former(struct kept_answers *kept, ws_conn_id id)
{
    const struct kept_member *member;
    struct kept_answer *past;

    lock_acquire(&kept->lock);
    member = kept_find_member(kept, id);
    past = member != NULL ? past_of(member->client) : NULL;
    if (past != NULL)
        kept_list_remove(kept, past);
    lock_release(&kept->lock);
}

/* --- reading --------------------------------------------------------------------------------- */

bool kept_note_begin(struct kept_note_reader *reader, const char *key, const char *text,
                     size_t length, const char *user_id)
{
    size_t of_version = sizeof version - 1;
    size_t of_user = strlen(user_id);

    if (length <= of_version + of_user || memcmp(text, version, of_version) != 0 ||
        memcmp(text + of_version, user_id, of_user) != 0 || text[of_version + of_user] != '\n')
        return false;
    *reader = (struct kept_note_reader){text + of_version + of_user + 1, text + length, key};
    return true;
}

static bool key_valid(const char *text, size_t length)
{
    return length > 0 && length < KEPT_KEY_SIZE && memchr(text, '\0', length) == NULL;
}

bool kept_note_read_former(struct kept_note_reader *reader, char key[KEPT_KEY_SIZE])
{
    size_t length = (size_t)(reader->end - reader->at);
    size_t of_word = sizeof continues - 1;

    if (length <= of_word + 1 || memcmp(reader->at, continues, of_word) != 0 ||
        reader->end[-1] != '\n')
        return false;
    length -= of_word + 1;
    if (!key_valid(reader->at + of_word, length))
        return false;
    memcpy(key, reader->at + of_word, length);
    key[length] = '\0';
    return true;
}

static bool read_hex(struct kept_note_reader *reader, uint8_t *bytes, size_t n)
{
    if ((size_t)(reader->end - reader->at) < 2 * n)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        const char *digit = memchr(digits, *reader->at++, sizeof digits - 1);

        if (digit == NULL)
            return false;
        bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | (digit - digits));
    }
    return true;
}

static bool read_char(struct kept_note_reader *reader, char c)
{
    return reader->at < reader->end && *reader->at++ == c;
}

static bool read_number(struct kept_note_reader *reader, uint64_t *number)
{
    const char *begin = reader->at;

    *number = 0;
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9' &&
           reader->at - begin < DIGITS_MAX)
        *number = *number * 10 + (uint64_t)(*reader->at++ - '0');
    return reader->at > begin;
}

static bool read_kind(struct kept_note_reader *reader, struct kept_entry *entry)
{
    char kind = '\0';

    if (reader->at < reader->end)
        kind = *reader->at++;

    entry->is_answered = kind != 'p';
    entry->is_error = kind == 'e';
    return kind == 'p' || kind == 'a' || kind == 'e';
}

/* Also where the answer will be, if it is not known yet. */
static bool read_data(struct kept_note_reader *reader, struct kept_entry *entry)
{
    entry->data = reader->at;
    reader->at += entry->length;
    if (!read_char(reader, '\n'))
        return false;
    if (entry->is_answered)
        return json_valid(entry->data, entry->length, JSON_LEVELS);
    if (entry->length == 0) {
        entry->data = reader->key;
        entry->length = strlen(reader->key);
    }
    return key_valid(entry->data, entry->length);
}

bool kept_note_next(struct kept_note_reader *reader, struct kept_entry *entry)
{
    uint64_t length;

    memset(entry, 0, sizeof *entry);
    if (!read_hex(reader, entry->digest.bytes, sizeof entry->digest.bytes) ||
        !read_char(reader, ' ') || !read_number(reader, &entry->age_ms) ||
        !read_char(reader, ' ') || !read_kind(reader, entry) || !read_char(reader, ' ') ||
        !read_number(reader, &length) || !read_char(reader, '\n') ||
        length >= (uint64_t)(reader->end - reader->at))
        return false;
    entry->length = (size_t)length;
    return read_data(reader, entry);
}

/* --- what comes from another process ---------------------------------------------------------- */

static struct kept_answer *find(const struct kept_client *client,
                                const struct kept_digest *digest)
{
    struct kept_answer *answer = client->first;

    while (answer != NULL && memcmp(&answer->digest, digest, sizeof *digest) != 0)
        answer = answer->next;
    return answer;
}

static bool add(struct kept_answers *kept, struct kept_client *client,
                const struct kept_entry *entry, uint64_t now_ms)
{
    size_t of_origin = entry->is_answered ? 0 : entry->length;
    struct kept_answer *made = memory_zalloc(kept->memory, sizeof *made + of_origin + 1);

    if (made != NULL && entry->is_answered)
        made->data = memory_copy_text(kept->memory, entry->data, entry->length);
    if (made == NULL || (entry->is_answered && made->data == NULL)) {
        memory_free(kept->memory, made);
        return false;
    }
    memcpy(made->origin, entry->data, of_origin);
    made->digest = entry->digest;
    made->at_ms = now_ms > entry->age_ms ? now_ms - entry->age_ms : 0;
    made->is_error = entry->is_error;
    made->length = entry->is_answered ? entry->length : 0;
    kept_list_add(kept, client, made);
    kept_list_limit(kept, made);
    return true;
}

/* What is known here stays: the client has perhaps sent it here, too. */
static bool merge(struct kept_answers *kept, struct kept_client *client,
                  const struct kept_entry *entry, uint64_t now_ms, ws_answer *waiter)
{
    struct kept_answer *found = find(client, &entry->digest);

    if (found == NULL)
        return add(kept, client, entry, now_ms);
    if (found->data == NULL && found->number == 0 && entry->is_answered) {
        *waiter = found->waiter;
        found->is_error = entry->is_error;
        if (kept_list_fill(kept, found, entry->data, entry->length))
            kept_list_limit(kept, found);
    }
    return true;
}

bool kept_answers_import(struct kept_answers *kept, ws_conn_id id, const char *user_id,
                         const struct kept_entry *entry, uint64_t now_ms, ws_answer *waiter)
{
    struct kept_client *client;
    bool result;

    *waiter = (ws_answer){0};
    lock_acquire(&kept->lock);
    client = kept_client_of(kept, id, user_id);
    result = client != NULL && merge(kept, client, entry, now_ms, waiter);
    if (client != NULL && !result)
        kept_trim_client(kept, client);
    lock_release(&kept->lock);
    return result;
}

/* --- what other processes are to answer ------------------------------------------------------- */

static bool is_awaited(const struct kept_answer *answer, ws_conn_id id)
{
    return answer->data == NULL && answer->number == 0 && answer->waiter.connection == id;
}

bool kept_answers_awaited(struct kept_answers *kept, ws_conn_id id, const char *after,
                          char key[KEPT_KEY_SIZE])
{
    const struct kept_member *member;
    const char *least = NULL;
    const char *next = NULL;

    lock_acquire(&kept->lock);
    member = kept_find_member(kept, id);
    for (const struct kept_answer *answer = member != NULL ? member->client->first : NULL;
         answer != NULL; answer = answer->next) {
        const char *origin = answer->origin;

        if (!is_awaited(answer, id))
            continue;
        if (least == NULL || strcmp(origin, least) < 0)
            least = origin;
        if (strcmp(origin, after) > 0 && (next == NULL || strcmp(origin, next) < 0))
            next = origin;
    }
    if (next == NULL)
        next = least;
    if (next != NULL)
        memcpy(key, next, strlen(next) + 1);
    lock_release(&kept->lock);
    return next != NULL;
}
