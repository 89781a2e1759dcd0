/* target.c: chooses the address of a server to connect to. */
#include "cluster/redis/target.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ws_manager/loop.h>

void target_init(struct target *target)
{
    *target = (struct target){.deadline_ms = WS_NO_DEADLINE};
}

void target_aim(struct target *target, const char *host)
{
    if (strcmp(target->host, host) == 0)
        return;
    target_free(target);
    snprintf(target->host, sizeof target->host, "%s", host);
}

void target_free(struct target *target)
{
    lookup_abandon(target->lookup);
    target_init(target);
}

static bool is_round_over(const struct target *target)
{
    return target->next == target->addresses.count;
}

static enum target_state begin_round(struct target *target)
{
    target->deadline_ms = WS_NO_DEADLINE;
    target->next = 0;
    return is_round_over(target) ? TARGET_UNKNOWN : TARGET_FOUND;
}

static void note_failure(struct target *target, const char *why)
{
    snprintf(target->error, sizeof target->error, "the host name %.64s cannot be resolved: %s",
             target->host, why);
}

static enum target_state want_lookup(struct target *target, uint64_t now_ms)
{
    if (addresses_take_literal(&target->addresses, target->host))
        return begin_round(target);
    target->wants_lookup = true;
    target->deadline_ms = now_ms;
    return TARGET_WAITING;
}

static enum target_state await_lookup(struct target *target, uint64_t now_ms,
                                      uint64_t timeout_ms)
{
    /* Without a deadline, the lookup was started in an earlier round. */
    bool begins = target->is_new || target->deadline_ms == WS_NO_DEADLINE;
    struct addresses found;
    char why[LOOKUP_ERROR_SIZE];

    target->is_new = false;
    if (lookup_take(target->lookup, &found, why)) {
        target->lookup = NULL;
        if (target->is_outdated)
            return want_lookup(target, now_ms);
        if (found.count == 0) {
            note_failure(target, why);
            return begin_round(target);
        }
        addresses_prefer(&found, target->worked);
        target->addresses = found;
        return begin_round(target);
    }
    target->is_outdated = false;
    if (begins)
        target->deadline_ms = now_ms + timeout_ms;
    if (now_ms < target->deadline_ms)
        return TARGET_WAITING;
    snprintf(why, sizeof why, "no answer within %" PRIu64 " ms", timeout_ms);
    note_failure(target, why);
    return begin_round(target);
}

enum target_state target_find(struct target *target, uint64_t now_ms, uint64_t timeout_ms)
{
    if (!is_round_over(target))
        return TARGET_FOUND;
    if (target->lookup != NULL)
        return await_lookup(target, now_ms, timeout_ms);
    if (!target->is_refused)
        return want_lookup(target, now_ms);
    target->is_refused = false;
    return begin_round(target);
}

/* Even if the hook answers within its call, or refuses, that is taken in the next turn: the call
 * may have taken long, and the time of this turn is out of date. */
void target_look_up(struct target *target, const struct resolver *resolver)
{
    char why[LOOKUP_ERROR_SIZE];

    if (!target->wants_lookup)
        return;
    target->wants_lookup = false;
    target->is_outdated = false;
    target->is_new = true;
    target->lookup = lookup_begin(resolver, target->host, why);
    target->is_refused = target->lookup == NULL;
    if (target->is_refused)
        note_failure(target, why);
}

const char *target_address(const struct target *target)
{
    return target->addresses.text[target->next];
}

bool target_failed(struct target *target)
{
    if (!is_round_over(target))
        target->next++;
    return !is_round_over(target);
}

void target_worked(struct target *target)
{
    if (is_round_over(target))
        return;
    memcpy(target->worked, target_address(target), sizeof target->worked);
    addresses_prefer(&target->addresses, target->worked);
    target->next = target->addresses.count;
    target->is_outdated = target->lookup != NULL;
}
