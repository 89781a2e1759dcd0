/* pages.c: the cache of pages of the cluster's stream, by number and in the order of use. */
#include "core/events/pages.h"

#include <string.h>

/* --- lists ----------------------------------------------------------------------------------- */

static void push(struct pages *pages, struct page *page)
{
    page->previous = NULL;
    page->next = pages->first;
    if (pages->first != NULL)
        pages->first->previous = page;
    else
        pages->last = page;
    pages->first = page;
}

static void take(struct pages *pages, struct page *page)
{
    if (page->previous != NULL)
        page->previous->next = page->next;
    else
        pages->first = page->next;
    if (page->next != NULL)
        page->next->previous = page->previous;
    else
        pages->last = page->previous;
}

static size_t list_of(uint64_t position)
{
    return page_number(position) % PAGES_MAX;
}

/* --- pages ----------------------------------------------------------------------------------- */

struct page *pages_find(struct pages *pages, uint64_t position)
{
    struct page *page = pages->by_number[list_of(position)];

    while (page != NULL && (position < page->events.before || position >= page->until))
        page = page->next_alike;
    if (page != NULL && page != pages->first) {
        take(pages, page);
        push(pages, page);
    }
    return page;
}

static uint64_t bytes_of(const struct page *page)
{
    return sizeof *page + page->events.bytes;
}

static bool is_too_much(const struct pages *pages)
{
    return pages->count > pages->max_pages ||
           (pages->max_bytes > 0 && pages->bytes > pages->max_bytes);
}

/* Removes the least recently used page and prepends it to a list. */
static struct page *take_oldest(struct pages *pages, struct page *taken)
{
    struct page *oldest = pages->last;
    struct page **link = &pages->by_number[list_of(oldest->events.before)];

    while (*link != oldest)
        link = &(*link)->next_alike;
    *link = oldest->next_alike;
    take(pages, oldest);
    pages->count--;
    pages->bytes -= bytes_of(oldest);
    oldest->next = taken;
    return oldest;
}

struct page *pages_add(struct pages *pages, struct page *page)
{
    struct page **link = &pages->by_number[list_of(page->events.before)];
    struct page *taken = NULL;

    page->next_alike = *link;
    *link = page;
    push(pages, page);
    pages->count++;
    pages->bytes += bytes_of(page);
    while (pages->last != page && is_too_much(pages))
        taken = take_oldest(pages, taken);
    return taken;
}

struct page *pages_take_oldest(struct pages *pages, uint32_t n)
{
    struct page *taken = NULL;

    for (; n > 0 && pages->count > 0; n--)
        taken = take_oldest(pages, taken);
    return taken;
}

struct page *pages_take_all(struct pages *pages)
{
    struct page *all = pages->first;

    pages->first = pages->last = NULL;
    memset(pages->by_number, 0, sizeof pages->by_number);
    pages->count = 0;
    pages->bytes = 0;
    return all;
}

void pages_free(const ws_allocator *memory, struct page *page)
{
    while (page != NULL) {
        struct page *next = page->next;

        history_free(&page->events);
        memory_free(memory, page);
        page = next;
    }
}

/* --- requests -------------------------------------------------------------------------------- */

/* The beginning of the page, so that the answer serves other clients too, or the end of the
 * last cached part. But if events are so large that another part of that length would not reach
 * the position, the events before the position are left out. */
uint64_t pages_ask_after(const struct pages *pages, uint64_t position)
{
    uint64_t start = position - position % PAGE_EVENTS;
    uint64_t after = start;
    uint64_t length = PAGE_EVENTS;

    for (const struct page *page = pages->by_number[list_of(position)]; page != NULL;
         page = page->next_alike)
        if (page->until > after && page->until <= position) {
            after = page->until;
            length = page->until - page->events.before;
        }
    if (position - after > length)
        return position;
    return after > pages->lost ? after : pages->lost;
}

const struct page_request *pages_find_request(const struct pages *pages, uint64_t number)
{
    const struct page_request *request = pages->requests;

    while (request != NULL && page_number(request->after) != number)
        request = request->next;
    return request;
}

void pages_add_request(struct pages *pages, struct page_request *request)
{
    request->next = pages->requests;
    pages->requests = request;
    pages->n_requests++;
}

void pages_remove_request(struct pages *pages, struct page_request *request)
{
    struct page_request **link = &pages->requests;

    while (*link != request)
        link = &(*link)->next;
    *link = request->next;
    pages->n_requests--;
}

struct page *pages_begin_anew(struct pages *pages)
{
    for (struct page_request *request = pages->requests; request != NULL;
         request = request->next)
        request->is_void = true;
    pages->requests = NULL;
    pages->n_requests = 0;
    pages->lost = 0;
    return pages_take_all(pages);
}
