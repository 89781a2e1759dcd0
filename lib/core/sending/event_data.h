/* event_data.h: the check that the data of every event passes once. */
#ifndef WS_CORE_SENDING_EVENT_DATA_H
#define WS_CORE_SENDING_EVENT_DATA_H

#include "core/manager.h"

/* Checks an event's data. Returns WS_OK, WS_ERR_INVALID (NULL), WS_ERR_TOO_BIG or
 * WS_ERR_BAD_JSON. */
int event_data_check(const ws_manager *manager, const char *data, size_t length);

#endif
