/* account.h: on whose account a thread posts commands to loops: the application's, that of a client
 * whose message (or connecting, or leaving) is being carried out, that of clients whose WebSockets
 * are being opened, or that of the stream between processes. Each has a budget of its own in a loop's
 * inbox, so that none takes another's. */
#ifndef WS_CORE_ACCOUNT_H
#define WS_CORE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

enum account_kind {
    ACCOUNT_APPLICATION,
    ACCOUNT_CLIENT,
    ACCOUNT_OPENING,
    ACCOUNT_CLUSTER,
    N_ACCOUNTS
};

struct account {
    uint8_t kind; /* enum account_kind */
    uint8_t loop; /* ACCOUNT_CLIENT: the number of its loop */
};

/* Changes this thread's account; returns the one before, which account_set() restores. */
struct account account_set(struct account account);
struct account account_now(void);

/* Changes it to that of the clients of a loop. */
static inline struct account account_set_client(uint32_t loop)
{
    return account_set((struct account){ACCOUNT_CLIENT, (uint8_t)loop});
}

static inline bool account_is_client(void)
{
    return account_now().kind == ACCOUNT_CLIENT;
}

/* Adds to what this thread posted on a client's account, and takes that. */
void account_add_posted(uint32_t cost);
uint32_t account_take_posted(void);

#endif
