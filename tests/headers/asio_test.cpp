// adapters/asio.hpp: another thread's wake-up reaches the host although no memory is left for the
// operations of Asio. Prints each line that failed.
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>
#include <vector>

#include <sys/socket.h>

#include <ws_manager/adapters/asio.hpp>

namespace
{

bool is_out_of_memory = false; // for the operations of Asio
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

// The client's end of a pair of sockets, and what it has received.
class client
{
  public:
    explicit client(int fd) : fd_(fd)
    {
    }

    client(const client &) = delete;
    client &operator=(const client &) = delete;

    ~client()
    {
        close(fd_);
    }

    // Runs the context until this text has arrived; false if it does not within ten seconds.
    bool receives(asio::io_context &context, const char *text)
    {
        for (int i = 0; i < 1000; i++) {
            char bytes[4096];
            const ssize_t n = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);

            if (n > 0)
                received_.append(bytes, static_cast<std::size_t>(n));
            if (received_.find(text) != std::string::npos)
                return true;
            context.run_for(std::chrono::milliseconds(10));
        }
        return false;
    }

  private:
    int fd_;
    std::string received_;
};

void wakes_are_not_lost_without_memory()
{
    asio::io_context context;
    const auto manager = ws::default_manager();
    ws::asio_host host(context.get_executor(), manager);
    int ends[2];

    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    EXPECT(ws_host_adopt(host.get(), ends[0]) == WS_OK);
    client ann(ends[1]);
    EXPECT(send(ends[1], request, std::strlen(request), 0) > 0);
    EXPECT(ann.receives(context, "welcome"));

    EXPECT(emit_notification("first", nullptr, "info") == WS_OK);
    std::vector<asio::steady_timer> timers;
    for (int i = 0; i < 16; i++)
        timers.emplace_back(context, std::chrono::hours(1));
    asio::post(context, [&timers] {
        for (auto &timer :
             timers) // these take the blocks that Asio keeps for the next operations
            timer.async_wait([](asio::error_code) {});
        is_out_of_memory = true;
    });
    try {
        context.poll();
    } catch (const std::bad_alloc &) {
    }
    is_out_of_memory = false;
    EXPECT(ann.receives(context, "first"));
    EXPECT(emit_notification("second", nullptr, "info") == WS_OK);
    EXPECT(ann.receives(context, "second"));
}

} // namespace

// In place of the C library's: Asio takes the memory of its operations from here.
extern "C" void *aligned_alloc(std::size_t alignment, std::size_t size)
{
    void *block = nullptr;

    if (is_out_of_memory || posix_memalign(&block, alignment, size) != 0)
        return nullptr;
    return block;
}

int main()
{
    wakes_are_not_lost_without_memory();
    return failures > 0;
}
