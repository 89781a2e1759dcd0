/* fetch.c: requests pages of the stream from a carrier, and handles its answers. */
#include "core/cluster/fetch.h"

#include <string.h>

#include "core/cluster/stream_end.h"
#include "core/cluster/stream_event.h"
#include "core/inbox.h"
#include "core/sending/encode.h"

/* --- requests ----------------------------------------------------------------------------- */

/* The lock is held. */
static bool is_cached_or_lost(ws_manager *manager, uint64_t position)
{
    struct pages *pages = &manager->pages;

    manager_assert_locked(manager);
    return position < pages->lost || pages_find(pages, position) != NULL;
}

/* Prepares the request for the page after a position. The lock is held. WS_ERR_BACKPRESSURE:
 * too many requests are pending, or the loop has not learned yet that the stream was
 * replaced. */
static int prepare(ws_loop *loop, struct page_request *request, uint64_t position)
{
    ws_manager *manager = loop->manager;
    struct pages *pages = &manager->pages;
    uint64_t end = (page_number(position) + 1) * PAGE_EVENTS;

    manager_assert_locked(manager);
    if (strcmp(loop->epoch, manager->epoch) != 0 || position >= manager->position ||
        pages->n_requests >= PAGE_REQUESTS_MAX)
        return WS_ERR_BACKPRESSURE;
    *request = (struct page_request){
        .after = pages_ask_after(pages, position),
        .until = end < manager->position ? end : manager->position,
    };
    memcpy(request->epoch, manager->epoch, sizeof request->epoch);
    return WS_OK;
}

static int fetch(ws_loop *loop, struct page_request *request)
{
    ws_manager *manager = loop->manager;
    int result =
        manager->cluster.fetch(request->after, (uint32_t)(request->until - request->after),
                               request, manager->cluster_data);

    if (result == WS_OK)
        return WS_OK;
    manager_lock(manager);
    if (!request->is_void)
        pages_remove_request(&manager->pages, request);
    manager_unlock(manager);
    memory_free(&manager->memory, request);
    return result;
}

int cluster_fetch(ws_loop *loop, uint64_t position)
{
    ws_manager *manager = loop->manager;
    struct pages *pages = &manager->pages;
    struct page_request *request = memory_alloc(&manager->memory, sizeof *request);
    bool is_under_way;
    int result = WS_OK;

    if (request == NULL)
        return WS_ERR_NO_MEMORY;
    manager_lock(manager);
    is_under_way = pages_find_request(pages, page_number(position)) != NULL;
    if (!manager->has_cluster || is_cached_or_lost(manager, position))
        result = WS_ERR_ALREADY;
    else if (!is_under_way)
        result = prepare(loop, request, position);
    if (result == WS_OK)
        loop->awaits_page = true;
    if (result == WS_OK && !is_under_way)
        pages_add_request(pages, request);
    manager_unlock(manager);
    if (result == WS_OK && !is_under_way)
        return fetch(loop, request);
    memory_free(&manager->memory, request);
    return result;
}

bool cluster_is_fetching(ws_loop *loop, uint64_t number)
{
    ws_manager *manager = loop->manager;
    bool is_fetching;

    manager_lock(manager);
    is_fetching = pages_find_request(&manager->pages, number) != NULL;
    loop->awaits_page |= is_fetching;
    manager_unlock(manager);
    return is_fetching;
}

/* --- answers ------------------------------------------------------------------------------ */

/* Counts the leading events without a gap between them that were asked for. */
static size_t count_usable(const struct page_request *asked, const ws_cluster_event *events,
                           size_t n_events)
{
    size_t count = 0;

    while (count < n_events && events[count].position == events[0].position + count &&
           events[count].position > asked->after && events[count].position <= asked->until)
        count++;
    return count;
}

/* Adds an event to a page; skips one that is not valid. False if memory ran out. */
static bool add_event(const ws_manager *manager, struct page *page, const char *epoch,
                      const ws_cluster_event *event)
{
    struct history_line *line;
    enum group_kind kind;
    ws_message *message;
    bool added;

    if (!cluster_event_valid(event, &kind))
        return true;
    message = cluster_event_message(manager, event);
    if (message == NULL)
        return false;
    encode_finish(manager, message, epoch, event->position);
    added = history_reserve(&page->events, kind, event->target, &line);
    if (added)
        history_append(&page->events, line, message, 0);
    ws_message_unref(message);
    return added;
}

/* Makes a page of the events; NULL if memory ran out. */
static struct page *make_page(const ws_manager *manager, const char *epoch,
                              const ws_cluster_event *events, size_t n_events)
{
    struct page *page = memory_zalloc(&manager->memory, sizeof *page);

    if (page == NULL)
        return NULL;
    history_init(&page->events, &manager->memory, manager->registry.secret);
    page->events.max_events = PAGE_EVENTS;
    history_reset(&page->events, events[0].position - 1);
    for (size_t i = 0; i < n_events && page->events.bytes <= PAGE_MAX_BYTES; i++) {
        if (!add_event(manager, page, epoch, &events[i])) {
            pages_free(&manager->memory, page);
            return NULL;
        }
        page->until = events[i].position;
    }
    return page;
}

/* Records as lost the requested events before the first one that came; all of them if none
 * came. The lock is held. */
static void note_lost(ws_manager *manager, const struct page_request *asked,
                      const ws_cluster_event *events, size_t n_events)
{
    struct pages *pages = &manager->pages;
    uint64_t until = asked->until;

    manager_assert_locked(manager);
    if (n_events > 0 && events[0].position > asked->after)
        until = events[0].position - 1;
    if (until > manager->position)
        until = manager->position;
    if (until > asked->after && until > pages->lost)
        pages->lost = until;
}

/* Posts COMMAND_FETCHED to the loops that wait for a page. A loop that cannot get it, because
 * memory ran out, checks by itself later. The lock is held. */
static void notify_loops(struct posting *posting)
{
    const ws_manager *manager = posting->manager;

    manager_assert_locked(manager);
    for (uint32_t i = 0; i < manager->n_loops; i++) {
        ws_loop *loop = manager->loops[i];

        if (loop == NULL || !loop->awaits_page || loop_reserve(loop, false) != WS_OK)
            continue;
        loop->awaits_page = false;
        posting_push(posting, loop, &(struct command){.kind = COMMAND_FETCHED});
    }
}

/* Whether the request is void. In the child of a fork() it is void from now on: checked before
 * a page is made, whose hashes would use a secret that changes. */
static bool is_void(ws_manager *manager, const struct page_request *asked)
{
    bool result;

    manager_lock(manager);
    result = asked->is_void;
    manager_unlock(manager);
    return result;
}

static int page_fetched(ws_manager *manager, struct page_request *asked,
                        const ws_cluster_event *events, size_t n_events)
{
    size_t count = count_usable(asked, events, n_events);
    struct page *page = NULL;
    struct posting posting;

    if (count > 0 && !is_void(manager, asked)) {
        page = make_page(manager, asked->epoch, events, count);
        if (page == NULL)
            return WS_ERR_NO_MEMORY;
    }
    posting_begin(&posting, manager);
    if (!asked->is_void) {
        pages_remove_request(&manager->pages, asked);
        note_lost(manager, asked, events, n_events);
        if (page != NULL && manager->pages.n_readers > 0)
            page = pages_add(&manager->pages, page);
        notify_loops(&posting);
    }
    posting_end(&posting);
    pages_free(&manager->memory, page);
    memory_free(&manager->memory, asked);
    return WS_OK;
}

int ws_manager_cluster_fetched(ws_manager *manager, void *request,
                               const ws_cluster_event *events, size_t n_events)
{
    if (manager == NULL || request == NULL || (events == NULL && n_events > 0))
        return WS_ERR_INVALID;
    if (request != &manager->stream_end)
        return page_fetched(manager, request, events, n_events);
    cluster_end_answered(manager, n_events);
    return WS_OK;
}
