/* server.c: serves clients on threads of its own, and emits the time each second. README.md
 * shows it. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <ws_manager/server.h>
#include <ws_manager/ws_manager.h>

int main(int argc, char **argv)
{
    ws_server_options options;
    ws_server *server;
    char problem[200] = "out of memory";

    ws_server_options_init(&options);
    options.listen = argc > 1 ? argv[1] : "127.0.0.1:9000";
    options.problem = problem;
    options.problem_size = sizeof problem;
    if (ws_manager_register_event_type(ws_manager_default(), "clock") != WS_OK ||
        ws_server_start(ws_manager_default(), &options, &server) != WS_OK) {
        fprintf(stderr, "%s\n", problem);
        return 1;
    }
    for (;; sleep(1)) { /* any thread may emit */
        char json[40];

        snprintf(json, sizeof json, "{\"time\":%lld}", (long long)time(NULL));
        ws_emit("clock", json);
    }
}
