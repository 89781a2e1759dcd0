/* api_notifications.c: messages to everyone or to one user's connections.
 * They are stored in the outbox only (outbox.h). */
#include <string.h>

#include "api.h"

enum { MESSAGE_MAX_CHARACTERS = 2000, SEVERITY_MAX_CHARACTERS = 16 };

struct notification {
    const char *message;
    const char *severity;
    const char *user_id; /* NULL: everyone */
};

static bool is_severity(const char *text)
{
    return strcmp(text, "info") == 0 || strcmp(text, "success") == 0 ||
           strcmp(text, "warning") == 0 || strcmp(text, "error") == 0;
}

static bool read_notification(const cJSON *body, struct notification *notification,
                              struct field_problem *problem)
{
    struct field_source source = {body, "", problem};

    *notification = (struct notification){.severity = "info"};
    if (!field_text(&source, "message", MESSAGE_MAX_CHARACTERS, FIELD_LINES,
                    &notification->message))
        return false;
    if (field_is_given(&source, "severity")) {
        if (!field_text(&source, "severity", SEVERITY_MAX_CHARACTERS, FIELD_LINE,
                        &notification->severity))
            return false;
        if (!is_severity(notification->severity))
            return field_fail(&source, "severity", "must be info, success, warning or error");
    }
    return !field_is_given(&source, "user_id") ||
           field_name(&source, "user_id", &notification->user_id);
}

static void answer_sent(struct api_call *call)
{
    cJSON *answer = cJSON_CreateObject();
    bool complete = cJSON_AddStringToObject(answer, "status", "sent") != NULL;

    http_response_set_json(call->response, HTTP_STATUS_ACCEPTED, complete ? answer : NULL);
    cJSON_Delete(answer);
}

static cJSON *event_data(const struct notification *notification)
{
    cJSON *data = cJSON_CreateObject();

    if (cJSON_AddStringToObject(data, "message", notification->message) == NULL ||
        cJSON_AddStringToObject(data, "severity", notification->severity) == NULL) {
        cJSON_Delete(data);
        return NULL;
    }
    return data;
}

static enum store_result send_notification(struct app *app,
                                           const struct notification *notification)
{
    cJSON *data = event_data(notification);
    enum store_result result = data != NULL ? STORE_OK : STORE_MEMORY;

    if (result == STORE_OK)
        result = store_begin(app->store, STORE_WRITE);
    if (result == STORE_OK) {
        result = outbox_add(&app->outbox, "notification", notification->user_id, data);
        result = api_finish(app->store, result, &app->outbox);
    }
    cJSON_Delete(data);
    return result;
}

void api_send_notification(struct api_call *call)
{
    cJSON *body = api_parse_body(call);
    struct field_problem problem = {0};
    struct notification notification;
    enum store_result result;

    if (body == NULL)
        return;
    if (!read_notification(body, &notification, &problem)) {
        api_answer_problem(call, &problem);
        cJSON_Delete(body);
        return;
    }
    result = send_notification(call->app, &notification);
    if (result == STORE_OK)
        answer_sent(call);
    else
        api_answer_store_error(call, result);
    cJSON_Delete(body);
}
