/* account.h: the account on which a thread posts commands to loops: the application's; that of
 * a client whose message, connecting or leaving is being processed; that of opening handshakes;
 * or that of the stream between processes. Each account has its own budget in a loop's inbox,
 * so none can use up another's. */
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
    uint8_t loop; /* ACCOUNT_CLIENT: the number of the client's loop */
};

/* Changes this thread's account. Returns the previous one, to be restored with
 * account_set(). */
struct account account_set(struct account account);
struct account account_now(void);

/* Changes this thread's account to that of the clients of a loop. */
static inline struct account account_set_client(uint32_t loop)
{
    return account_set((struct account){ACCOUNT_CLIENT, (uint8_t)loop});
}

static inline bool account_is_client(void)
{
    return account_now().kind == ACCOUNT_CLIENT;
}

/* Add to the cost of what this thread posted on a client's account; return that cost and reset
 * it. */
void account_add_posted(uint32_t cost);
uint32_t account_take_posted(void);

#endif
