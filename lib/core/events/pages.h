/* pages.h: pages of the cluster's stream that are older than the history, for clients that
 * recover. Each page is requested once, however many clients need it, and cached while it is
 * read. Not here: the requests (cluster/fetch.h), and the clients that wait for pages
 * (recovery/page_waits.h).
 *
 * Guarded by the manager's lock. */
#ifndef WS_CORE_EVENTS_PAGES_H
#define WS_CORE_EVENTS_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/events/history.h"
#include "core/events/ids.h"

enum {
    PAGE_EVENTS = 256,        /* page n: positions from n * 256 + 1 to (n + 1) * 256 */
    PAGE_MAX_BYTES = 4 << 20, /* of one page; a larger one is split */

    /* As many pages as a stream of 100,000 events has: clients that were disconnected together
     * and come back one after another each begin with the first. */
    PAGES_MAX = 512,
    PAGES_IDLE_MS = 10000, /* after so long without readers the cache is emptied */

    PAGE_REQUESTS_MAX = 64 /* requests that the carrier has not answered yet */
};

/* A page, or a part of one if the carrier returned only a part. */
struct page {
    struct page *next; /* the next older one in order of use */
    struct page *previous;
    struct page *next_alike; /* in the same bucket of by_number */
    struct history events;   /* events after position events.before */
    uint64_t until;          /* position of the last event */
};

/* A request to the carrier, for at most one page. */
struct page_request {
    struct page_request *next;
    char epoch[EPOCH_SIZE];
    uint64_t after;
    uint64_t until;
    bool is_void; /* the stream has been replaced: ignore the answer */
};

/* The question of how far the stream goes beyond what was delivered here
 * (cluster/stream_end.c). Its address is also the handle of that question at the carrier. */
struct stream_end {
    bool is_asking;
    uint64_t after;    /* the question: are there events after this position? */
    uint64_t n_asked;  /* number of questions asked */
    uint64_t answered; /* number of the last question answered */
    uint64_t position; /* by that answer, the last position; UINT64_MAX: there are more */
};

struct pages {
    uint32_t max_pages;
    uint64_t max_bytes; /* 0: no limit; one page is kept in any case */

    struct page *first;
    struct page *last;
    struct page *by_number[PAGES_MAX]; /* buckets, by page number modulo PAGES_MAX */
    uint32_t count;
    uint64_t bytes;
    struct page_request *requests;
    uint32_t n_requests;
    uint32_t n_readers; /* recoveries that read pages */
    uint64_t idle_ms;   /* since when n_readers is 0, on the host's clock */
    uint64_t lost;      /* the carrier has lost events up to this position */
};

/* The number of the page that holds the event after a position. */
static inline uint64_t page_number(uint64_t position)
{
    return position / PAGE_EVENTS;
}

/* The cached page that holds the event after a position, which counts as a use; NULL if it is
 * not cached. */
struct page *pages_find(struct pages *pages, uint64_t position);

/* Adds a page to the cache. Returns the pages that are evicted for it, to be freed without the
 * lock. */
struct page *pages_add(struct pages *pages, struct page *page);

/* Remove the `n` least recently used pages, or all pages; return them, to be freed without the
 * lock. */
struct page *pages_take_oldest(struct pages *pages, uint32_t n);
struct page *pages_take_all(struct pages *pages);

/* Frees a list of pages. */
void pages_free(const ws_allocator *memory, struct page *page);

/* The position after which to request the part of a page that is not cached. */
uint64_t pages_ask_after(const struct pages *pages, uint64_t position);

/* The pending request for a page, or NULL. */
const struct page_request *pages_find_request(const struct pages *pages, uint64_t number);

void pages_add_request(struct pages *pages, struct page_request *request);
void pages_remove_request(struct pages *pages, struct page_request *request);

/* The stream has been replaced: marks all requests as void. Returns all pages, to be freed. */
struct page *pages_begin_anew(struct pages *pages);

#endif
