/* running_server.c: a server in the test's own process, and clients that block until they have
 * their answers. */
#include "running_server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/suite.h"
#include "support/threads.h"

ws_manager *manager;
ws_server *server;
ws_server_options options;
char problem[256];
char answer[ANSWER_BYTES];

void running_server_set_up(void)
{
    ck_assert_int_eq(ws_manager_new(NULL, &manager), WS_OK);
    ws_server_options_init(&options);
    options.listen = "127.0.0.1:0";
    options.threads = 2;
    options.problem = problem;
    options.problem_size = sizeof problem;
}

void start(void)
{
    int result = ws_server_start(manager, &options, &server);

    ck_assert_msg(result == WS_OK, "%s: %s", ws_strerror(result), problem);
}

void end(void)
{
    ws_server_free(server);
    ws_manager_free(manager);
}

int connect_tcp(const char *url)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

void send_text(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Receives into `answer` until the text is there, or the end; returns how many bytes. */
size_t receive(int fd, const char *text)
{
    size_t length = 0;
    ssize_t part = 1;

    while (part > 0 && (text == NULL || memmem(answer, length, text, strlen(text)) == NULL)) {
        part = recv(fd, answer + length, sizeof answer - 1 - length, 0);
        length += part > 0 ? (size_t)part : 0;
    }
    answer[length] = '\0';
    ck_assert_msg(text == NULL || part > 0, "the connection ended without '%s'", text);
    return length;
}

const char *receive_until(int fd, const char *text)
{
    receive(fd, text);
    return answer;
}

size_t receive_all(int fd)
{
    return receive(fd, NULL);
}

/* Sends a request with `Connection: close`, and receives the whole answer. */
const char *ask_at(int fd, const char *method_and_target, const char *body)
{
    char request[1024];

    snprintf(
        request, sizeof request,
        "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
        method_and_target, strlen(body), body);
    send_text(fd, request);
    receive_all(fd);
    close(fd);
    return answer;
}

const char *ask(const char *method_and_target, const char *body)
{
    return ask_at(connect_tcp(ws_server_url(server)), method_and_target, body);
}

bool begins(const char *text, const char *start_of_it)
{
    return strncmp(text, start_of_it, strlen(start_of_it)) == 0;
}

int connect_unix(const char *path)
{
    struct sockaddr_un address = unix_address(path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}
