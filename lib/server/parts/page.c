/* page.c: whether a browser's page may use the server's endpoints. */
#include "server/parts/page.h"

#include <stddef.h>

/* An origin that equals Host proves nothing, unless Host is a name of this server: anyone can
 * make a name point here. */
static bool knows_host(const struct origin_rules *rules, const struct origin_request *page)
{
    const struct origin_request named = {.origin = page->origin};

    return origin_host_is_ours(rules, page->host) ||
           (page->origin != NULL && origin_is_allowed(rules, &named, true));
}

bool page_is_allowed(const struct origin_rules *rules, const struct origin_request *page,
                     bool is_websocket)
{
    return origin_is_allowed(rules, page, true) && (is_websocket || knows_host(rules, page));
}
