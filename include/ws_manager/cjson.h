/** @file
 * The bridge for applications that build their JSON with cJSON.
 *
 * Header only: the application links cJSON itself, and no cJSON type is part of the library's
 * ABI.
 */
#ifndef WS_MANAGER_CJSON_H
#define WS_MANAGER_CJSON_H

#include <string.h>

#include <cjson/cJSON.h>

#include <ws_manager/emit.h>
#include <ws_manager/event.h>

/** Makes an event from a cJSON tree: ws_event_new() with the tree's text as data.
 *
 * @param manager     the manager that the type is registered with
 * @param type        a registered event type; copied
 * @param data        the event's data; the tree is printed and not changed
 * @param[out] event  the new event; set on success only
 *
 * @retval WS_OK             the event is made
 * @retval WS_ERR_INVALID    a pointer is NULL
 * @retval WS_ERR_NO_MEMORY  an allocation failed, also within cJSON_PrintUnformatted()
 * @return any error of ws_event_new()
 *
 * @threads Any thread. The event then belongs to one thread until it is sent.
 * @ownership The caller keeps `data` and owns `*event`: ws_event_free() frees it.
 */
static inline int ws_event_new_cjson(ws_manager *manager, const char *type, const cJSON *data,
                                     ws_event **event)
{
    int result = WS_ERR_NO_MEMORY;
    char *text;

    if (data == NULL)
        return WS_ERR_INVALID;
    text = cJSON_PrintUnformatted(data);
    if (text != NULL) {
        result = ws_event_new(manager, type, text, strlen(text), event);
        cJSON_free(text);
    }
    return result;
}

/** Emits an event from a cJSON tree: ws_manager_emit() with the tree's text as data.
 *
 * @param manager  the manager that the type is registered with
 * @param type     a registered event type; copied
 * @param data     the event's data; the tree is printed and not changed
 *
 * @retval WS_OK             the event is accepted
 * @retval WS_ERR_INVALID    a pointer is NULL
 * @retval WS_ERR_NO_MEMORY  an allocation failed, also within cJSON_PrintUnformatted()
 * @return any error of ws_manager_emit()
 *
 * @threads Any thread.
 * @ownership The caller keeps `data`.
 */
static inline int ws_manager_emit_cjson(ws_manager *manager, const char *type,
                                        const cJSON *data)
{
    int result = WS_ERR_NO_MEMORY;
    char *text;

    if (data == NULL)
        return WS_ERR_INVALID;
    text = cJSON_PrintUnformatted(data);
    if (text != NULL) {
        result = ws_manager_emit(manager, type, text, strlen(text));
        cJSON_free(text);
    }
    return result;
}

#endif
