/* default_manager.c: the process's default manager, the only global of the library. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/manager.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static ws_manager *current;
static bool made_here;

ws_manager *ws_manager_default(void)
{
    ws_manager *manager;

    pthread_mutex_lock(&lock);
    if (current == NULL)
        made_here = ws_manager_new(NULL, &current) == WS_OK;
    manager = current;
    pthread_mutex_unlock(&lock);
    return manager;
}

void ws_manager_set_default(ws_manager *manager)
{
    ws_manager *replaced = NULL;

    pthread_mutex_lock(&lock);
    if (manager != current) {
        if (made_here)
            replaced = current;
        current = manager;
        made_here = false;
    }
    pthread_mutex_unlock(&lock);
    ws_manager_free(replaced);
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
    if (manager == NULL)
        return;
    forget(manager);
    manager_unref(manager);
}
