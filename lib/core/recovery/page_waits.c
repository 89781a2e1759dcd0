/* page_waits.c: the recoveries of a loop that wait for pages of the cluster's stream. */
#include "core/recovery/page_waits.h"

#include "core/cluster/fetch.h"
#include "core/recovery/list.h"

enum {
    TICK_MS = 100, /* retries after the carrier was busy or memory was short */
    FETCH_TIMEOUT_MS = 30000,
    DROPPED_AT_ONCE = 16 /* pages dropped in one tick */
};

/* --- end of a wait ------------------------------------------------------------------------ */

void page_waits_looked(struct recovery *recovery)
{
    struct awaited_page *awaited = recovery->awaited;

    recovery->awaited = NULL;
    if (awaited == NULL || --awaited->n_recoveries > 0)
        return;
    awaited->number = PAGE_NONE;
    awaited->state = PAGE_WANTED;
}

static void make_ready(struct recovery_list *list)
{
    while (list->first != NULL)
        recovery_list_move(list->first, RECOVERY_READY);
}

static void answered(struct awaited_page *awaited)
{
    awaited->state = PAGE_WANTED;
    make_ready(&awaited->waiting);
}

void page_waits_end(ws_loop *loop)
{
    struct page_waits *waits = &loop->recoveries->page_waits;

    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        answered(&waits->awaited[i]);
    for (size_t i = 0; i < PAGE_LISTS; i++)
        make_ready(&waits->later[i]);
}

/* --- requests ----------------------------------------------------------------------------- */

/* Assigns the page that the first of a list waits for to a free place, and moves all that wait
 * for it there. */
static void assign(struct recovery_list *list, struct awaited_page *awaited)
{
    struct recovery *next;

    awaited->number = recovery_page(list->first);
    for (struct recovery *recovery = list->first; recovery != NULL; recovery = next) {
        next = recovery->next;
        if (recovery_page(recovery) == awaited->number)
            recovery_list_move(recovery, RECOVERY_WAITS_FOR_PAGE);
    }
}

static bool assign_next(struct page_waits *waits, struct awaited_page *awaited)
{
    for (size_t i = 0; i < PAGE_LISTS; i++) {
        struct recovery_list *list = &waits->later[waits->hand];

        waits->hand = (waits->hand + 1) % PAGE_LISTS;
        if (list->first != NULL) {
            assign(list, awaited);
            return true;
        }
    }
    return false;
}

/* Whether the carrier owes this loop an answer. */
static bool is_owed(const struct page_waits *waits)
{
    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        if (waits->awaited[i].waiting.first != NULL && waits->awaited[i].state != PAGE_WANTED)
            return true;
    return false;
}

static void ask(ws_loop *loop, struct awaited_page *awaited)
{
    int result = cluster_fetch(loop, awaited->waiting.first->position);

    awaited->state = result == WS_OK ? PAGE_ASKED : PAGE_REFUSED;
    if (result == WS_ERR_ALREADY)
        answered(awaited);
}

/* Requests the pages in this state that recoveries wait for. True if there was any. */
static bool ask_all(ws_loop *loop, enum page_state state)
{
    struct page_waits *waits = &loop->recoveries->page_waits;
    bool asked = false;

    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++) {
        if (waits->awaited[i].waiting.first == NULL || waits->awaited[i].state != state)
            continue;
        ask(loop, &waits->awaited[i]);
        asked = true;
    }
    return asked;
}

void page_waits_tick(ws_loop *loop)
{
    struct page_waits *waits = &loop->recoveries->page_waits;

    if (waits->timer.link == NULL)
        timer_start(&loop->timers, &waits->timer, TICK_MS);
}

bool page_waits_run(ws_loop *loop)
{
    struct page_waits *waits = &loop->recoveries->page_waits;

    if (waits->count == 0)
        return false;
    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        if (waits->awaited[i].number == PAGE_NONE && !assign_next(waits, &waits->awaited[i]))
            break;
    if (!is_owed(waits))
        waits->heard_ms = loop->timers.now_ms;
    page_waits_tick(loop);
    return ask_all(loop, PAGE_WANTED);
}

/* --- answers --------------------------------------------------------------------------------- */

void page_waits_look(ws_loop *loop)
{
    struct page_waits *waits = &loop->recoveries->page_waits;

    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++) {
        struct awaited_page *awaited = &waits->awaited[i];

        if (awaited->state != PAGE_ASKED || cluster_is_fetching(loop, awaited->number))
            continue;
        waits->heard_ms = loop->timers.now_ms;
        answered(awaited);
    }
}

/* Ends the wait of the recoveries that have waited too long: their next events count as
 * lost. */
static void give_up(struct recovery_list *list, uint64_t now_ms)
{
    struct recovery *next;

    for (struct recovery *recovery = list->first; recovery != NULL; recovery = next) {
        next = recovery->next;
        if (now_ms - recovery->waits_since_ms < FETCH_TIMEOUT_MS)
            continue;
        recovery_list_move(recovery, RECOVERY_LOST);
    }
}

/* Ends waits when the carrier has not answered for too long. No recovery is given up while the
 * carrier answers, however many answers it owes. */
static void check_time(struct page_waits *waits, uint64_t now_ms)
{
    if (!is_owed(waits) || now_ms - waits->heard_ms < FETCH_TIMEOUT_MS)
        return;
    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        give_up(&waits->awaited[i].waiting, now_ms);
    for (size_t i = 0; i < PAGE_LISTS; i++)
        give_up(&waits->later[i], now_ms);
}

static void drop_if_idle(ws_loop *loop)
{
    ws_manager *manager = loop->manager;
    struct pages *pages = &manager->pages;
    struct page *dropped = NULL;
    bool is_idle;

    manager_lock(manager);
    is_idle = pages->n_readers == 0 && pages->count > 0;
    if (loop->clock.host_ms < pages->idle_ms) /* the clock went back */
        pages->idle_ms = loop->clock.host_ms;
    if (is_idle && loop->clock.host_ms >= pages->idle_ms + PAGES_IDLE_MS)
        dropped = pages_take_oldest(pages, DROPPED_AT_ONCE);
    manager_unlock(manager);
    pages_free(&manager->memory, dropped);
    if (is_idle)
        page_waits_tick(loop);
}

static void on_timer(struct timer *timer)
{
    struct page_waits *waits =
        (struct page_waits *)(void *)((char *)timer - offsetof(struct page_waits, timer));
    struct recoveries *recoveries =
        (struct recoveries *)(void *)((char *)waits - offsetof(struct recoveries, page_waits));
    ws_loop *loop = recoveries->loop;

    page_waits_look(loop);
    check_time(waits, loop->timers.now_ms);
    ask_all(loop, PAGE_REFUSED);
    page_waits_run(loop);
    if (waits->count == 0)
        drop_if_idle(loop);
}

void page_waits_init(ws_loop *loop)
{
    struct page_waits *waits = &loop->recoveries->page_waits;

    for (size_t i = 0; i < PAGES_AWAITED_MAX; i++)
        waits->awaited[i].number = PAGE_NONE;
    waits->timer.kind = TIMER_PAGES;
    loop->timers.expired[TIMER_PAGES] = on_timer;
}
