/* unfinished_crowd.c: a loop whose clients seem to have sent much of what is not complete. */
#include "support/unfinished_crowd.h"

#include <check.h>

#include "transport/shared/unfinished.h"

enum { CROWD = 300000 };

static struct unfinished crowd[CROWD];
static struct unfinished large;

void unfinished_crowd_begin(const ws_loop *loop)
{
    for (int i = 0; i < CROWD; i++)
        unfinished_count(loop, &crowd[i], 1);
    unfinished_count(loop, &large, UNFINISHED_BYTES - CROWD - 1500);
}

void unfinished_crowd_end(const ws_loop *loop)
{
    for (int i = 0; i < CROWD; i++)
        unfinished_count(loop, &crowd[i], 0);
    unfinished_count(loop, &large, 0);
    ck_assert_uint_eq(unfinished_bytes(loop), 0);
}

uint64_t unfinished_bytes(const ws_loop *loop)
{
    return shared_part_of(loop)->unfinished.bytes;
}
