/* reply_limit.c: limits the memory of one reply, counted when hiredis creates the reply's
 * objects. */
#include "cluster/redis/reply_limit.h"

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* Counts this many bytes; false if they exceed the limit. */
static bool hold(struct reply_limit *limit, size_t count, size_t size)
{
    size_t left = limit->max_bytes - limit->held;

    limit->is_exceeded = count > left / size;
    if (!limit->is_exceeded)
        limit->held += count * size;
    return !limit->is_exceeded;
}

static void *create_string(const redisReadTask *task, char *text, size_t length)
{
    struct reply_limit *limit = task->privdata;

    return hold(limit, length, 1) ? limit->original->createString(task, text, length) : NULL;
}

/* Counts the elements, each of which is a reply, when the array's length is announced. */
static void *create_array(const redisReadTask *task, element_count count)
{
    struct reply_limit *limit = task->privdata;

    if (!hold(limit, (size_t)count, sizeof(redisReply) + sizeof(redisReply *)))
        return NULL;
    return limit->original->createArray(task, count);
}

void reply_limit_begin(struct reply_limit *limit, redisReader *reader)
{
    limit->original = reader->fn;
    limit->functions = *reader->fn;
    limit->functions.createString = create_string;
    limit->functions.createArray = create_array;
    limit->held = 0;
    limit->is_exceeded = false;
    reader->fn = &limit->functions;
    reader->privdata = limit;
}

void reply_limit_next(struct reply_limit *limit)
{
    limit->held = 0;
}

bool reply_limit_holds(struct reply_limit *limit, const redisReader *reader)
{
    limit->is_exceeded = reader->len - reader->pos > limit->max_bytes - limit->held;
    return !limit->is_exceeded;
}
