/* access.h: who may do what, by token, origin and room.
 * How a refusal is told is guard.h for HTTP and admission.h for WebSocket. */
#ifndef BACKEND_ACCESS_H
#define BACKEND_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "credentials.h"
#include "options.h"
#include "origin.h"
#include "token.h"

struct access {
    const struct options *options;
    struct token_key key; /* without an algorithm nobody needs a token */
};

/* Reads the key that the options name. False with a line in `problem`, and nothing to close. */
bool access_open(struct access *access, const struct options *options, char *problem,
                 size_t problem_size);

void access_close(struct access *access);

static inline bool access_needs_token(const struct access *access)
{
    return access->key.algorithm != NULL;
}

/* Judges a token, or what a request brought instead. Any thread. */
enum token_result access_check_token(const struct access *access, const char *token,
                                     struct token_claims *claims);
enum token_result access_check(const struct access *access,
                               const struct credentials *credentials,
                               struct token_claims *claims);

/* Whether the page that sent a request may open a WebSocket or change something. Without tokens its
 * own "Host" is no proof: any name may be made to lead here. */
bool access_allows_page(const struct access *access, const struct origin_request *request);

/* Whether a request may read something, for which a page need not name its origin: without tokens
 * by one of this server's own names only. */
bool access_knows_host(const struct access *access, const struct origin_request *request);

/* Whether a client may enter a room; `user_id` is NULL for an anonymous one. */
bool access_allows_room(const char *room, const char *user_id, bool is_staff);

#endif
