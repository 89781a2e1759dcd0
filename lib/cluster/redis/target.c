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

static enum target_state begin_unresolved_round(struct target *target, const char *why)
{
    snprintf(target->error, sizeof target->error, "the host name %.64s cannot be resolved: %s",
             target->host, why);
    return begin_round(target);
}

/* If the hook answers within its call, the answer is still taken in the next turn: the call may
 * have taken long, and then now_ms is out of date. */
static enum target_state begin_lookup(struct target *target, const struct resolver *resolver,
                                      uint64_t now_ms, uint64_t timeout_ms)
{
    char why[LOOKUP_ERROR_SIZE];

    if (addresses_take_literal(&target->addresses, target->host))
        return begin_round(target);
    target->lookup = lookup_begin(resolver, target->host, why);
    target->is_outdated = false;
    if (target->lookup == NULL)
        return begin_unresolved_round(target, why);
    target->deadline_ms = now_ms + timeout_ms;
    return TARGET_WAITING;
}

static enum target_state await_lookup(struct target *target, const struct resolver *resolver,
                                      uint64_t now_ms, uint64_t timeout_ms)
{
    struct addresses found;
    char why[LOOKUP_ERROR_SIZE];

    if (lookup_take(target->lookup, &found, why)) {
        target->lookup = NULL;
        if (target->is_outdated)
            return begin_lookup(target, resolver, now_ms, timeout_ms);
        if (found.count == 0)
            return begin_unresolved_round(target, why);
        addresses_prefer(&found, target->worked);
        target->addresses = found;
        return begin_round(target);
    }
    target->is_outdated = false;
    if (target->deadline_ms == WS_NO_DEADLINE) /* the lookup was started in an earlier round */
        target->deadline_ms = now_ms + timeout_ms;
    if (now_ms < target->deadline_ms)
        return TARGET_WAITING;
    snprintf(why, sizeof why, "no answer within %" PRIu64 " ms", timeout_ms);
    return begin_unresolved_round(target, why);
}

enum target_state target_find(struct target *target, const struct resolver *resolver,
                              uint64_t now_ms, uint64_t timeout_ms)
{
    if (!is_round_over(target))
        return TARGET_FOUND;
    if (target->lookup == NULL)
        return begin_lookup(target, resolver, now_ms, timeout_ms);
    return await_lookup(target, resolver, now_ms, timeout_ms);
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
