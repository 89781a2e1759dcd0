/* page_waits.h: a loop's recoveries that wait for pages of the cluster's stream, and which of these
 * are asked for next. Not here: the pages (pages.h).
 *
 * A few pages at a time: the next ones are asked for when those that waited have looked at what
 * came, so that it is not dropped before. They are asked for in the order of the stream, like the
 * floors that a lift serves: who is behind catches up with those that wait further on, and what all
 * of them need is fetched once. */
#ifndef WS_CORE_RECOVERY_PAGE_WAITS_H
#define WS_CORE_RECOVERY_PAGE_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ws_manager/types.h>

#include "core/recovery/state.h"

/* Sets up a loop's part. */
void page_waits_init(ws_loop *loop);

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
