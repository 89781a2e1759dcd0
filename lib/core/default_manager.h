/* default_manager.h: the process's default manager, for emit_*(). */
#ifndef WS_CORE_DEFAULT_MANAGER_H
#define WS_CORE_DEFAULT_MANAGER_H

#include "ws_manager/types.h"

/* Another thread may replace it meanwhile: to be released by manager_unref(). NULL if it could not
 * be made. */
ws_manager *default_manager_ref(void);

#endif
