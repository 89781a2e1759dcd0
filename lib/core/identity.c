/* identity.c: what tells a process's manager from all others, and what becomes of it in a child. */
#include "core/identity.h"

#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "base/forks.h"

int identity_draw(ws_manager *manager)
{
    if (!forks_watch())
        return WS_ERR_NO_MEMORY;
    manager->n_forks = forks_count();
    if (RAND_bytes(manager->registry.secret, sizeof manager->registry.secret) != 1 ||
        !epoch_draw(manager->process))
        return WS_ERR_SYSTEM;
    memcpy(manager->epoch, manager->process, sizeof manager->epoch);
    return WS_OK;
}

/* Nothing is in the history and its pages by now, which have the same secret. Without randomness
 * the parent's stays. */
static void draw_secret(ws_manager *manager)
{
    struct registry *registry = &manager->registry;
    uint8_t secret[NAME_TABLE_SECRET];

    if (RAND_bytes(secret, sizeof secret) == 1)
        registry_change_secret(registry, secret);
}

void identity_of_child(ws_manager *manager)
{
    manager->n_forks = forks_count();
    for (size_t i = 0; i < MANAGER_MAX_LOOPS; i++)
        atomic_store(&manager->client_work[i], 0); /* by loops that nobody runs here */
    if (!epoch_draw(manager->process))
        epoch_turn(manager->process, (uint64_t)getpid());
    memcpy(manager->epoch, manager->process, sizeof manager->epoch);
    history_reset(&manager->history, manager->position);
    pages_free(&manager->memory, pages_begin_anew(&manager->pages));
    draw_secret(manager);
}
