/* ws_manager.h: everything but the cJSON bridge (ws_manager/cjson.h), in one line. */
#ifndef WS_MANAGER_WS_MANAGER_H
#define WS_MANAGER_WS_MANAGER_H

#include <ws_manager/close_code.h>
#include <ws_manager/connection.h>
#include <ws_manager/emit.h>
#include <ws_manager/error.h>
#include <ws_manager/event.h>
#include <ws_manager/loop.h>
#include <ws_manager/manager.h>
#include <ws_manager/transport.h>
#include <ws_manager/version.h>
#include <ws_manager/websocket.h>

#endif
