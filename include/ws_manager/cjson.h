/* cjson.h: the bridge for applications that build their JSON with cJSON. Header only: the
 * application links cJSON itself, and no cJSON type is part of the library's ABI. */
#ifndef WS_MANAGER_CJSON_H
#define WS_MANAGER_CJSON_H

#include <string.h>

#include <cjson/cJSON.h>

#include <ws_manager/emit.h>
#include <ws_manager/event.h>

/* ws_event_new() with a tree as data, which stays the caller's. Also WS_ERR_NO_MEMORY when
 * cJSON can't print it. */
static inline int ws_event_new_cjson(ws_manager *manager, const char *type, const cJSON *data,
                                     ws_event **event)
{
    char *text = cJSON_PrintUnformatted(data);
    int result = WS_ERR_NO_MEMORY;

    if (text != NULL) {
        result = ws_event_new(manager, type, text, strlen(text), event);
        cJSON_free(text);
    }
    return result;
}

/* ws_manager_emit() with a tree as data, which stays the caller's. */
static inline int ws_manager_emit_cjson(ws_manager *manager, const char *type,
                                        const cJSON *data)
{
    char *text = cJSON_PrintUnformatted(data);
    int result = WS_ERR_NO_MEMORY;

    if (text != NULL) {
        result = ws_manager_emit(manager, type, text, strlen(text));
        cJSON_free(text);
    }
    return result;
}

#endif
