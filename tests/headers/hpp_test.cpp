// ws_manager.hpp: errors, handles, and what an exception of a callback becomes. The client is
// made of memory. Prints each line that failed.
#include <algorithm>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <vector>

#include <ws_manager/ws_manager.hpp>

namespace
{

int failures = 0;

void expect(bool holds, const char *what, int line)
{
    if (holds)
        return;
    std::cout << "line " << line << ": " << what << '\n';
    failures++;
}

#define EXPECT(condition) expect((condition), #condition, __LINE__)

const char request[] =
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// A client that has sent this request, and what it has received.
class client
{
  public:
    client(ws::loop &loop, const ws::endpoint &endpoint) : loop_(loop)
    {
        ws_websocket_new(loop.get(), endpoint.get(), nullptr, &websocket_);
        ws_websocket_receive(websocket_, request, std::strlen(request));
    }

    client(const client &) = delete;
    client &operator=(const client &) = delete;

    ~client()
    {
        ws_websocket_free(websocket_);
    }

    bool receives(const char *text)
    {
        loop_.run(1);
        iovec piece;
        while (ws_websocket_output(websocket_, &piece, 1) > 0) {
            received_.append(static_cast<const char *>(piece.iov_base), piece.iov_len);
            ws_websocket_sent(websocket_, piece.iov_len);
        }
        return received_.find(text) != std::string::npos;
    }

    // A text of less than 126 bytes, with a mask of zeros.
    void sends(const std::string &text)
    {
        const char head[] = {'\x81', static_cast<char>(0x80 | text.size()), 0, 0, 0, 0};

        ws_websocket_receive(websocket_, head, sizeof head);
        ws_websocket_receive(websocket_, text.data(), text.size());
    }

    void forget()
    {
        received_.clear();
    }

    ws_websocket *get() const
    {
        return websocket_;
    }

    ws_conn_id id() const
    {
        return ws_websocket_id(websocket_);
    }

  private:
    ws::loop &loop_;
    ws_websocket *websocket_ = nullptr;
    std::string received_;
};

void check_errors()
{
    ws::manager manager;

    EXPECT(manager.broadcast("order_created", "{\"id\":7}") == std::error_code());
    EXPECT(manager.broadcast("no_such_type", "{}") == ws::errc::unknown_type);
    EXPECT(manager.to_room("r").emit("order_created", "{") == ws::errc::bad_json);
    EXPECT(manager.to_user("").emit("order_created", "1") == std::errc::invalid_argument);
    EXPECT(ws::error_of(WS_ERR_TIMEOUT) == std::errc::timed_out);
    EXPECT(ws::error_of(WS_ERR_LIMIT).message() == ws_strerror(WS_ERR_LIMIT));
    EXPECT(manager.stats().find("\"total_connections\":0") != std::string::npos);
    try {
        ws::event event(manager, "no_such_type", "1");
        EXPECT(!"it was made");
    } catch (const std::system_error &error) {
        EXPECT(error.code() == ws::errc::unknown_type);
    }
    ws::event event(manager, "order_created", "1");
    EXPECT(!event.set_user_id("ana") && !manager.broadcast(event));
    EXPECT(manager.broadcast(event) == ws::errc::already);
}

void check_handles()
{
    int woken = 0;
    auto manager = std::make_unique<ws::manager>();
    ws::loop loop(*manager, 1, [&] { woken++; });
    const ws::endpoint_options options;
    const ws::endpoint endpoint(*manager, options);
    client one(loop, endpoint);
    client other(loop, endpoint);

    EXPECT(one.receives("\"welcome\"") && other.receives("\"welcome\""));
    EXPECT(!manager->join_room(one.id(), "r") && woken == 1);
    EXPECT(!manager->to_room("r").emit("notification", "\"to r\""));
    EXPECT(one.receives("to r") && !other.receives("to r"));
    ws::event event(*manager, "notification", "\"not to one\"");
    EXPECT(!manager->broadcast(event, {one.id()}));
    EXPECT(other.receives("not to one") && !one.receives("not to one"));
    manager.reset(); // the loop and the endpoint keep it
    EXPECT(ws_websocket_close(one.get(), WS_CLOSE_NORMAL, nullptr) == WS_OK &&
           one.receives("\x88\x02"));
    ws::loop first(ws::manager(), 1);
    const ws::loop second = std::move(first);
    EXPECT(second.get() != nullptr);
}

void check_exceptions()
{
    std::vector<std::string> log;
    ws::handlers handlers;
    handlers.log = [&](int, const char *line) {
        log.emplace_back(line);
        throw 1;
    };
    handlers.on_connect = [](ws::manager_ref, const ws_connection_info &) { throw 2; };
    handlers.accept_message = [](ws::manager_ref, const ws_connection_info &,
                                 const ws_client_message &message) -> std::error_code {
        const std::string_view room = message.room;
        if (room == "memory")
            throw std::bad_alloc();
        if (room == "member")
            throw std::system_error(ws::errc::not_member);
        if (room == "other")
            return std::make_error_code(std::errc::io_error);
        throw std::runtime_error("it is broken");
    };
    const ws::manager manager({}, handlers);
    ws::loop loop(manager, 1);
    const ws::endpoint_options options;
    const ws::endpoint endpoint(manager, options);
    const ws::endpoint_options refusing([](ws_handshake &) -> std::error_code { throw 3; });
    const ws::endpoint refuses(manager, refusing);
    client accepted(loop, endpoint);
    client refused(loop, refuses);

    EXPECT(accepted.receives("\"welcome\""));
    EXPECT(refused.receives("HTTP/1.1 403"));
    const std::pair<const char *, const char *> answers[] = {{"member", "not_member"},
                                                             {"other", "forbidden"},
                                                             {"r", "forbidden"},
                                                             {"memory", "\x88"}};
    for (const auto &[room, answer] : answers) {
        accepted.sends(std::string("{\"type\":\"message\",\"room\":\"") + room + "\"}");
        EXPECT(accepted.receives(answer));
        accepted.forget();
    }
    const auto logged = [&](const std::string &what) {
        return std::find(log.begin(), log.end(), "a callback threw an exception: " + what) !=
               log.end();
    };
    EXPECT(logged("of an unknown type") && logged("it is broken"));
}

/* C callbacks keep their pointer, unless handlers need it. */
void check_user_data()
{
    int lines = 0;
    ws::manager_options options;
    ws::handlers handlers;

    options.user_data = &lines;
    options.log = [](int, const char *, void *user_data) { ++*static_cast<int *>(user_data); };
    {
        const ws::manager manager(options);

        EXPECT(lines == 0);
    }
    handlers.on_join = [](ws::manager_ref, const ws_connection_info &, const char *, int) {};
    try {
        const ws::manager manager(options, handlers);

        EXPECT(false);
    } catch (const std::system_error &error) {
        EXPECT(error.code() == ws::error_of(WS_ERR_INVALID));
    }
}

} // namespace

int main()
{
    check_user_data();
    check_errors();
    check_handles();
    check_exceptions();
    return failures == 0 ? 0 : 1;
}
