// board.cpp: a message board in C++ on threads of the library: board [ADDRESS:PORT]. SIGTERM
// ends it.
#include <csignal>
#include <iostream>
#include <map>

#include <ws_manager/server.h>
#include <ws_manager/ws_manager.hpp>

int main(int argc, char **argv)
{
    const std::map<std::string, bool> needs_name{{"lobby", false}, {"staff", true}};
    ws::handlers handlers;
    handlers.authorize_join = [&](ws::manager_ref, const ws_connection_info &client,
                                  const char *room) {
        // at() throws when there is no such room, which refuses it.
        return needs_name.at(room) && client.user_id == nullptr ? ws::errc::forbidden
                                                                : std::error_code();
    };
    handlers.accept_message = [](ws::manager_ref manager, const ws_connection_info &client,
                                 const ws_client_message &message) -> std::error_code {
        if (message.room == nullptr || !manager.is_member(client.id, message.room))
            return ws::errc::not_member;
        return manager.to_room(message.room).emit("message", {message.data, message.length});
    };
    handlers.log = [](int, const char *line) { std::cerr << line << '\n'; };
    const ws::manager manager({}, handlers);
    const ws::endpoint_options options([](ws_handshake &handshake) -> std::error_code {
        const char *name =
            ws_handshake_header(&handshake, "x-user"); // of a proxy that knows the user
        return name ? ws::error_of(ws_handshake_set_user_id(&handshake, name))
                    : std::error_code();
    });
    const ws::endpoint endpoint(manager, options);
    if (std::error_code error = manager.register_event_type("message"))
        throw std::system_error(error);
    const ws_server_route route = {"/ws", endpoint.get(), WS_SERVER_WEBSOCKET};
    ws_server_options server_options;
    ws_server_options_init(&server_options);
    server_options.listen = argc > 1 ? argv[1] : "127.0.0.1:9000";
    server_options.routes = &route;
    server_options.n_routes = 1;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before the server has threads
    ws_server *server = nullptr;
    if (ws_server_start(manager.get(), &server_options, &server) != WS_OK)
        return 1;
    std::cout << ws_server_url(server) << std::endl;
    int number = 0;
    sigwait(&signals, &number);
    ws_server_free(server);
}
