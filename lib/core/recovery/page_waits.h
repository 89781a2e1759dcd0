/* page_waits.h: the recoveries of a loop that wait for pages of the cluster's stream, and the
 * order in which pages are requested. Not here: the page cache (pages.h).
 *
 * Only a few pages are outstanding at a time: the next are requested when the waiting
 * recoveries have read those that arrived, so that no page is evicted unread. Pages are
 * requested in the order of the stream, cyclically (as an elevator serves floors): a client
 * that is behind catches up with those that wait further on, and each page that several clients
 * need is fetched once. */
#ifndef WS_CORE_RECOVERY_PAGE_WAITS_H
#define WS_CORE_RECOVERY_PAGE_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "core/recovery/state.h"

/* Initializes a loop's part. */
void page_waits_init(ws_loop *loop);

/* The recovery reads the page that it waited for, or has ended. */
void page_waits_looked(struct recovery *recovery);

/* Requests the pages that may be requested now. True if any was: its answer may have arrived
 * already. */
bool page_waits_run(ws_loop *loop);

/* Executes COMMAND_FETCHED: a page has arrived, or its request has failed. */
void page_waits_look(ws_loop *loop);

/* Starts the timer that drops cached pages some time after the last reader has gone. */
void page_waits_tick(ws_loop *loop);

/* Makes all waiting recoveries check again, because the stream has been replaced. */
void page_waits_end(ws_loop *loop);

#endif
