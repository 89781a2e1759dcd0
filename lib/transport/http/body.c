/* body.c: the body of a request, kept while it arrives. */
#include "transport/http/body.h"

void http_body_init(struct http_body *body, ws_http *http, void (*give_way)(void *http))
{
    buffer_init(&body->bytes, http_memory(http));
    body->unfinished = (struct unfinished){.owner = http, .give_way = give_way};
}

void http_body_complete(struct http_body *body, const ws_http *http)
{
    unfinished_count(http->loop, &body->unfinished, 0);
}

void http_body_drop(struct http_body *body, const ws_http *http)
{
    http_body_complete(body, http);
    buffer_free(&body->bytes);
}

/* Makes room for the part that was just added. False if this body must give way itself. */
static bool limit(const struct http_body *body, const ws_http *http)
{
    const struct unfinished *ending =
        unfinished_excess(http->loop, http->endpoint->options.max_message_bytes);

    if (ending == &body->unfinished)
        return false;
    if (ending != NULL)
        ending->give_way(ending->owner);
    return true;
}

bool http_body_add(struct http_body *body, ws_http *http, const void *data, size_t length,
                   struct http_body_problem *problem)
{
    if (length > http->endpoint->options.max_message_bytes - body->bytes.length) {
        *problem = (struct http_body_problem){413, "the body is too large"};
        http_body_drop(body, http);
        return false;
    }
    buffer_add(&body->bytes, data, length);
    unfinished_count(http->loop, &body->unfinished, body->bytes.capacity);
    if (body->bytes.failed)
        *problem = (struct http_body_problem){503, "out of memory"};
    else if (!limit(body, http))
        *problem = (struct http_body_problem){503, UNFINISHED_TOO_MANY};
    else
        return true;
    http_body_drop(body, http);
    return false;
}
