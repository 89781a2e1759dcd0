/* default_manager.c: the process's default manager, the only global of the library. */
#include "core/default_manager.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/checks.h"
#include "core/manager.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ws_manager *current;
static bool made_here;
static bool is_known; /* the application may have a pointer to it */

static void make_if_none(void)
{
    if (current != NULL)
        return;
    made_here = manager_make(NULL, &current) == WS_OK;
    is_known = false;
}

ws_manager *default_manager_ref(void)
{
    ws_manager *manager;

    pthread_mutex_lock(&lock);
    make_if_none();
    manager = current != NULL ? manager_ref(current) : NULL;
    pthread_mutex_unlock(&lock);
    return manager;
}

ws_manager *ws_manager_default(void)
{
    ws_manager *manager;

    pthread_mutex_lock(&lock);
    make_if_none();
    is_known = true;
    manager = current;
    pthread_mutex_unlock(&lock);
    return manager;
}

/* To be called with the lock. Returns the manager to free, or NULL. */
static ws_manager *replace(ws_manager *manager)
{
    ws_manager *replaced = made_here ? current : NULL;

    current = manager;
    made_here = false;
    return replaced;
}

void ws_manager_set_default(ws_manager *manager)
{
    ws_manager *replaced = NULL;

    pthread_mutex_lock(&lock);
    if (manager != current)
        replaced = replace(manager);
    pthread_mutex_unlock(&lock);
    ws_manager_free(replaced);
}

/* A manager that only emit_*() know can have no loop, so no client would ever receive its
 * events. */
static void offer(ws_manager *manager)
{
    ws_manager *replaced = NULL;

    pthread_mutex_lock(&lock);
    if (current == NULL || (made_here && !is_known))
        replaced = replace(manager);
    pthread_mutex_unlock(&lock);
    if (replaced == NULL)
        return;
    manager_log(
        manager, WS_LOG_WARN,
        "events were emitted before the first ws_manager_new(); no client receives them");
    ws_manager_free(replaced);
}

int ws_manager_new(const ws_manager_options *options, ws_manager **manager)
{
    int result = manager_make(options, manager);

    if (result == WS_OK)
        offer(*manager);
    return result;
}

/* Clears the default manager if it is the one being freed. */
static void forget(const ws_manager *manager)
{
    pthread_mutex_lock(&lock);
    if (current == manager) {
        current = NULL;
        made_here = false;
    }
    pthread_mutex_unlock(&lock);
}

void ws_manager_free(ws_manager *manager)
{
    if (manager == NULL || !checks_manager_free(manager))
        return;
    forget(manager);
    manager_unref(manager);
}
