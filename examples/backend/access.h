/* access.h: who may do what, by token, origin and room.
 * Refusals are answered in guard.c for HTTP and in admission.c for WebSocket. */
#ifndef BACKEND_ACCESS_H
#define BACKEND_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "credentials.h"
#include "options.h"
#include "server/parts/origin.h"
#include "token.h"

struct access {
    const struct options *options;
    struct token_key key; /* no algorithm: no token is required */
};

/* Reads the key file that the options name. False with a line in `problem`; then there is nothing
 * to close. */
bool access_open(struct access *access, const struct options *options, char *problem,
                 size_t problem_size);

void access_close(struct access *access);

static inline bool access_needs_token(const struct access *access)
{
    return access->key.algorithm != NULL;
}

/* Checks a token, or the credentials of a request. Any thread. */
enum token_result access_check_token(const struct access *access, const char *token,
                                     struct token_claims *claims);
enum token_result access_check(const struct access *access,
                               const struct credentials *credentials,
                               struct token_claims *claims);

/* Whether the page that sent a request may open a WebSocket or change something. Where no token
 * is required, an origin equal to the request's Host proves nothing, because anyone can make a
 * name point to this server (DNS rebinding). */
bool access_allows_page(const struct access *access, const struct origin_request *request);

/* Whether a request may read something, for which its page need not name an origin. Where no
 * token is required, the Host must be one of this server's own names. */
bool access_knows_host(const struct access *access, const struct origin_request *request);

/* Whether a client may enter a room; `user_id` is NULL for an anonymous one. */
bool access_allows_room(const char *room, const char *user_id, bool is_staff);

#endif
