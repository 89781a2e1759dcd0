/* static_files.h: files of one folder, as answers to GET.
 * The content is sent by the connection. */
#ifndef BACKEND_STATIC_FILES_H
#define BACKEND_STATIC_FILES_H

#include <stdbool.h>

#include "http_response.h"
#include <ws_manager/server_http.h>

struct static_files {
    int folder;
};

/* False, with errno, when the folder cannot be used. */
bool static_files_open(struct static_files *files, const char *folder);

void static_files_close(struct static_files *files);

/* Answers a GET or HEAD. Any thread. */
void static_files_serve(const struct static_files *files, const ws_server_request *request,
                        struct http_response *response);

#endif
