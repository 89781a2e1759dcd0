/* kept_answers.h: answers to clients' messages and requests, kept for a while. A client that
 * reconnects and sends a message again, because it has not received the answer, gets the kept
 * answer, and the application is not called again.
 *
 * The successive connections of one client share a list. A message is a repetition if its ref and
 * content are equal, and if it comes from another connection of the client. The lists are bounded:
 * for each connection and each client in number and bytes, for each user and all users together in
 * bytes, and in age. Messages that wait for their answer are listed too, even after the client was
 * notified of a timeout: the answer may still come.
 *
 * Nothing is kept for a client without a user. It could prove itself only by the id of its former
 * connection, which other clients know: any of them could then take its answers.
 *
 * It has a lock of its own, within which no other is taken. */
#ifndef WS_CORE_KEPT_ANSWERS_H
#define WS_CORE_KEPT_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include <ws_manager/callbacks.h>

#include "base/json_text.h"
#include "core/kept/kept_state.h"

/* False if the system has no resources for a lock. The limits are set by the caller. */
bool kept_answers_init(struct kept_answers *kept, const ws_allocator *memory,
                       const uint8_t secret[NAME_TABLE_SECRET]);
void kept_answers_free(struct kept_answers *kept);

/* The digest of what a client has sent, in several parts. A client that makes two messages with the
 * same one does so for itself. */
enum { KEPT_PARTS_MAX = 5 };
struct kept_digest kept_digest_of(const struct json_slice *parts, size_t n_parts);

/* The end of what is kept: the data of an `ack` or `response`, or of an `error`. */
struct kept_text {
    bool is_error;
    char *data; /* owned by the receiver */
    size_t length;
    uint32_t n_kept; /* answers for this client, which were looked through */
};

enum kept_state {
    KEPT_NEW,       /* to be carried out */
    KEPT_ANSWERED,  /* the answer is in *text */
    KEPT_PENDING,   /* the application has not answered yet: the answer goes to `answer` too */
    KEPT_ELSEWHERE, /* the application of another process has not answered yet */
    KEPT_NO_MEMORY
};

/* How many answers of a client are looked through, several times, at the cost of a delivery. */
enum { KEPT_ANSWERS_PER_UNIT = 32 };

/* Notes a message or request that needs an answer. `user_id` NULL: the client has no user, and
 * nothing is kept. Sets text->n_kept, and for KEPT_ANSWERED all of *text. */
enum kept_state kept_answers_begin(struct kept_answers *kept, ws_answer answer,
                                   const char *user_id, const struct kept_digest *digest,
                                   uint64_t now_ms, struct kept_text *text);

/* Keeps the answer. Returns the connection that has repeated the message and receives the answer
 * too; its `connection` is 0 if there is none. A second call has no effect.
 * *is_news: what is kept has changed. */
ws_answer kept_answers_end(struct kept_answers *kept, ws_answer answer, bool is_error,
                           const char *data, size_t length, bool *is_news);

/* Forgets a message that was not carried out. Returns the connection that has repeated it.
 * *is_news: the cluster's carrier was given it. */
ws_answer kept_answers_forget(struct kept_answers *kept, ws_answer answer, bool *is_news);

#endif
