/* page_waits.h: a loop's recoveries that wait for pages of the cluster's stream, and which of these
 * are asked for next. Not here: the pages (pages.h).
 *
 * A few pages at a time: the next ones are asked for when those that waited have looked at what
 * came, so that it is not dropped before. They are asked for in the order of the stream, like the
 * floors that a lift serves: who is behind catches up with those that wait further on, and what all
 * of them need is fetched once. */
#ifndef WS_CORE_PAGE_WAITS_H
#define WS_CORE_PAGE_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "core/recovery_list.h"
#include "core/timer_wheel.h"

enum {
    PAGES_AWAITED_MAX = 4, /* at once: one that is far behind does not hold up the others */
    PAGE_LISTS = 512       /* more than there are pages in a stream of 100,000 events */
};

enum page_state { PAGE_WANTED, PAGE_ASKED, PAGE_REFUSED /* the carrier could not be asked */ };

/* A page that is asked for, or that some have not looked at since it came. */
struct awaited_page {
    uint64_t number;
    size_t n_recoveries; /* all these; 0: the place is free */
    enum page_state state;
    struct recovery_list waiting;
};

struct page_waits {
    size_t count; /* recoveries that wait */
    struct awaited_page awaited[PAGES_AWAITED_MAX];
    struct recovery_list later[PAGE_LISTS]; /* those for whom nothing was asked yet, by page */
    size_t hand;                            /* the list whose turn is next */
    uint64_t heard_ms; /* when the carrier answered last, or nothing was asked of it */
    struct timer timer;
};

/* Sets up a loop's part. */
void page_waits_init(ws_loop *loop);

/* A recovery waits for the page behind its position: on this list. Then it waits no more. */
struct recovery_list *page_waits_join(struct recovery *recovery);
void page_waits_leave(struct recovery *recovery);

/* It looks at what came, or has ended. */
void page_waits_looked(struct recovery *recovery);

/* Asks for what may be asked for now. True if anything was: the answer may be there already. */
bool page_waits_run(ws_loop *loop);

/* Carries out COMMAND_FETCHED: a page has come, or can't be had. */
void page_waits_look(ws_loop *loop);

/* Has it look after everything soon: nobody reads pages any more, so they are dropped some time
 * later, unless somebody does. */
void page_waits_tick(ws_loop *loop);

/* All are to look again: the stream is another one. */
void page_waits_end(ws_loop *loop);

#endif
