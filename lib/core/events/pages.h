/* pages.h: pieces of the cluster's stream from behind the history, for clients that come back: each
 * is asked for once, whoever needs it, and kept while it is read. Not here: the asking
 * (cluster/fetch.h), and the clients that wait (recovery/page_waits.h).
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
    PAGE_MAX_BYTES = 4 << 20, /* of one; then it is in parts */

    /* As many are kept as a stream of 100,000 events has: clients that were cut off together, and
     * come back one after the other, each begin with the first. */
    PAGES_MAX = 512,
    PAGES_IDLE_MS = 10000, /* then none is kept */

    PAGE_REQUESTS_MAX = 64 /* that the carrier has to answer */
};

/* A page, or a part of one if the carrier did not answer with all of it. */
struct page {
    struct page *next; /* was used longer ago */
    struct page *previous;
    struct page *next_alike; /* by number */
    struct history events;   /* behind position events.before */
    uint64_t until;          /* the last position */
};

/* What the carrier was asked for: no more than a page. */
struct page_request {
    struct page_request *next;
    char epoch[EPOCH_SIZE];
    uint64_t after;
    uint64_t until;
    bool is_void; /* the stream is another one meanwhile: of no use to anybody */
};

/* How far the stream goes beyond what was delivered here (cluster/stream_end.c); also the carrier's
 * name for that question. */
struct stream_end {
    bool is_asking;
    uint64_t after;    /* what is asked */
    uint64_t n_asked;  /* so many times */
    uint64_t answered; /* the last of these */
    uint64_t position; /* by that, the last one; UINT64_MAX: there are more */
};

struct pages {
    uint32_t max_pages;
    uint64_t max_bytes; /* 0: no limit; one page is kept in any case */

    struct page *first;
    struct page *last;
    struct page *by_number[PAGES_MAX]; /* lists, by the number modulo that */
    uint32_t count;
    uint64_t bytes;
    struct page_request *requests;
    uint32_t n_requests;
    uint32_t n_readers; /* recoveries that need pages */
    uint64_t idle_ms;   /* since when there is none, on the host's clock */
    uint64_t lost;      /* the carrier does not have every event up to there any more */
};

/* The page that holds what comes behind a position. */
static inline uint64_t page_number(uint64_t position)
{
    return position / PAGE_EVENTS;
}

/* The same if it is kept, which counts as using it; else NULL. */
struct page *pages_find(struct pages *pages, uint64_t position);

/* Keeps one more. Returns what is not kept any more for that, to be freed without the lock. */
struct page *pages_add(struct pages *pages, struct page *page);

/* The same of those that were used longest ago, and of all. */
struct page *pages_take_oldest(struct pages *pages, uint32_t n);
struct page *pages_take_all(struct pages *pages);

/* Frees a page and those behind it. */
void pages_free(const ws_allocator *memory, struct page *page);

/* Behind which position to ask for what is not kept of a page. */
uint64_t pages_ask_after(const struct pages *pages, uint64_t position);

/* The request that is under way for a page, or NULL. */
const struct page_request *pages_find_request(const struct pages *pages, uint64_t number);

void pages_add_request(struct pages *pages, struct page_request *request);
void pages_remove_request(struct pages *pages, struct page_request *request);

/* The stream is another one: all requests are void. Returns all pages. */
struct page *pages_begin_anew(struct pages *pages);

#endif
