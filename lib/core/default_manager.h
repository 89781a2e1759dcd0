/* default_manager.h: the process's default manager, the only global of the library. */
#ifndef WS_CORE_DEFAULT_MANAGER_H
#define WS_CORE_DEFAULT_MANAGER_H

#include <ws_manager/manager.h>

/* The manager is being freed: if it is the default one, there is none from now on. */
void default_manager_forget(const ws_manager *manager);

#endif
