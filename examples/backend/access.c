/* access.c: who may do what, by token, origin and room.
 * Refusals are answered in guard.c for HTTP and in admission.c for WebSocket. */
#include "access.h"

#include <stdio.h>
#include <string.h>

#include "token_key.h"
#include "wall_clock.h"

enum { REASON_BYTES = 256 };

bool access_open(struct access *access, const struct options *options, char *problem,
                 size_t problem_size)
{
    char reason[REASON_BYTES];

    *access = (struct access){.options = options};
    if (options->jwt_secret_file != NULL &&
        !token_key_read_secret(options->jwt_secret_file, &access->key, reason, sizeof reason)) {
        snprintf(problem, problem_size, "--jwt-secret-file: %s: %s", options->jwt_secret_file,
                 reason);
        return false;
    }
    if (options->jwt_public_key != NULL &&
        !token_key_read_public(options->jwt_public_key, &access->key, reason, sizeof reason)) {
        snprintf(problem, problem_size, "--jwt-public-key: %s: %s", options->jwt_public_key,
                 reason);
        return false;
    }
    return true;
}

void access_close(struct access *access)
{
    token_key_free(&access->key);
}

enum token_result access_check_token(const struct access *access, const char *token,
                                     struct token_claims *claims)
{
    return token_check(&access->key, access->options->jwt_audience, token, wall_clock_ms(),
                       claims);
}

enum token_result access_check(const struct access *access,
                               const struct credentials *credentials,
                               struct token_claims *claims)
{
    return credentials->result == TOKEN_OK
               ? access_check_token(access, credentials->token, claims)
               : credentials->result;
}

bool access_allows_page(const struct access *access, const struct origin_request *request)
{
    return origin_is_allowed(&access->options->origins, request, !access_needs_token(access));
}

bool access_knows_host(const struct access *access, const struct origin_request *request)
{
    struct origin_request page = *request;

    if (access_needs_token(access) ||
        origin_host_is_ours(&access->options->origins, request->host))
        return true;
    page.host = NULL; /* then only an origin that is allowed by name passes */
    return page.origin != NULL && origin_is_allowed(&access->options->origins, &page, true);
}

bool access_allows_room(const char *room, const char *user_id, bool is_staff)
{
    static const char user_prefix[] = "user:";
    static const char staff_prefix[] = "staff:";

    if (strncmp(room, user_prefix, strlen(user_prefix)) == 0)
        return user_id != NULL && strcmp(room + strlen(user_prefix), user_id) == 0;
    return is_staff || strncmp(room, staff_prefix, strlen(staff_prefix)) != 0;
}
