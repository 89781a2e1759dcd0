/** @file
 * WebSockets on an executor of Asio (standalone, in C++17). The functions of host.h use them.
 *
 * @code
 * asio::io_context context;
 * ws::asio_host host(context.get_executor(), manager);
 * ws_host_listen(host.get(), "127.0.0.1", 9000);
 * context.run();
 * @endcode
 *
 * ws_host_adopt() takes the descriptor of a socket that an acceptor has accepted:
 * `socket.release()`.
 */
#ifndef WS_MANAGER_ADAPTERS_ASIO_HPP
#define WS_MANAGER_ADAPTERS_ASIO_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include <asio.hpp>
#include <ws_manager/adapters/host.h>
#include <ws_manager/ws_manager.hpp>

namespace ws
{

/** @cond internal */

namespace detail
{

/** Memory for one operation that is started again and again: starting it again allocates
 * nothing, so it cannot fail. An operation that is started while the former one holds the
 * memory allocates. */
class operation_memory
{
  public:
    void *allocate(std::size_t size)
    {
        if (in_use_ || size > sizeof bytes_)
            return ::operator new(size);
        in_use_ = true;
        return bytes_;
    }

    void deallocate(void *block) noexcept
    {
        if (block == bytes_)
            in_use_ = false;
        else
            ::operator delete(block);
    }

  private:
    alignas(std::max_align_t) unsigned char bytes_[512];
    bool in_use_ = false;
};

/** The allocator of such an operation's handler. */
template <class T> struct operation_allocator {
    using value_type = T;

    explicit operation_allocator(operation_memory &of) noexcept : memory(&of)
    {
    }

    template <class U>
    operation_allocator(const operation_allocator<U> &other) noexcept : memory(other.memory)
    {
    }

    T *allocate(std::size_t n)
    {
        return static_cast<T *>(memory->allocate(n * sizeof(T)));
    }

    void deallocate(T *block, std::size_t) noexcept
    {
        memory->deallocate(block);
    }

    template <class U> bool operator==(const operation_allocator<U> &other) const noexcept
    {
        return memory == other.memory;
    }

    template <class U> bool operator!=(const operation_allocator<U> &other) const noexcept
    {
        return memory != other.memory;
    }

    operation_memory *memory;
};

/** A watched descriptor. Handlers that outlive it find that `socket` is NULL. */
class asio_watcher : public std::enable_shared_from_this<asio_watcher>
{
  public:
    asio_watcher(const asio::any_io_executor &executor, ws_host_socket *socket)
        : descriptor_(executor, socket->fd), socket_(socket)
    {
    }

    /** A wait for an event that is no longer requested continues, and has no effect. */
    void wait(int events)
    {
        if (events & WS_HOST_READ)
            wait_for(WS_HOST_READ, reads_);
        if (events & WS_HOST_WRITE)
            wait_for(WS_HOST_WRITE, writes_);
    }

    void end()
    {
        socket_ = nullptr;
        descriptor_.release();
    }

  private:
    void wait_for(int event, bool &waits)
    {
        using wait_type = asio::posix::stream_descriptor::wait_type;

        if (waits)
            return;
        descriptor_.async_wait(
            event == WS_HOST_READ ? wait_type::wait_read : wait_type::wait_write,
            [self = shared_from_this(), event, &waits](asio::error_code error) {
                waits = false;
                self->on_ready(event, error);
            });
        waits = true;
    }

    void on_ready(int event, asio::error_code error)
    {
        if (socket_ == nullptr || (socket_->events & event) == 0)
            return;
        ws_host_ready(socket_, error ? WS_HOST_READ | WS_HOST_WRITE : event);
        if (socket_ == nullptr)
            return;
        try {
            wait(socket_->events);
        } catch (const std::exception &) { // it would never be served again
            ws_host_drop(socket_);
        }
    }

    asio::posix::stream_descriptor descriptor_;
    ws_host_socket *socket_;
    bool reads_ = false;
    bool writes_ = false;
};

/** The adapter. Handlers that outlive the host keep it alive, and find `has_ended`. */
struct asio_adapter {
    /** Without it the host would never again hear of other threads' events. */
    struct wake_handler {
        using allocator_type = operation_allocator<unsigned char>;

        allocator_type get_allocator() const noexcept
        {
            return allocator_type(keep->wake_memory);
        }

        void operator()(asio::error_code error, std::size_t)
        {
            keep->run();
            if (!error && !keep->has_ended)
                keep->wait_for_wake();
        }

        std::shared_ptr<asio_adapter> keep;
    };

    ws_host host; // first
    asio::any_io_executor executor;
    asio::steady_timer timer;
    asio::posix::stream_descriptor woken;
    int wake_fd; // the other end of the pipe: posting would allocate, on any thread
    bool has_ended = false;
    std::shared_ptr<asio_adapter> self;
    char bytes[64] = {};
    operation_memory wake_memory;

    asio_adapter(const asio::any_io_executor &on, int read_fd, int write_fd)
        : host(), executor(on), timer(on), woken(on, read_fd), wake_fd(write_fd), wake_memory()
    {
    }

    ~asio_adapter()
    {
        close(wake_fd);
    }

    void run()
    {
        if (!has_ended)
            ws_host_run(&host);
    }

    void wait_for_wake()
    {
        woken.async_read_some(asio::buffer(bytes), wake_handler{self});
    }

    static asio_adapter *of(void *host)
    {
        return static_cast<asio_adapter *>(host);
    }

    static int watch(ws_host_socket *socket, int events) noexcept
    {
        using watcher = std::shared_ptr<asio_watcher>;

        try {
            if (socket->watcher == nullptr) {
                const auto &executor = of(socket->host)->executor;

                socket->watcher = new watcher(std::make_shared<asio_watcher>(executor, socket));
            }
            (*static_cast<watcher *>(socket->watcher))->wait(events);
            return WS_OK;
        } catch (const std::bad_alloc &) {
            return WS_ERR_NO_MEMORY;
        } catch (const std::exception &) {
            return WS_ERR_SYSTEM;
        }
    }

    static void unwatch(ws_host_socket *socket) noexcept
    {
        const std::unique_ptr<std::shared_ptr<asio_watcher>> watcher(
            static_cast<std::shared_ptr<asio_watcher> *>(socket->watcher));

        if (watcher != nullptr)
            (*watcher)->end();
    }

    static void wake(void *host) noexcept
    {
        const ssize_t n =
            write(of(host)->wake_fd, "", 1); // if it is full, the loop is woken anyway

        static_cast<void>(n);
    }

    static std::uint64_t now_ms() noexcept
    {
        const auto now = std::chrono::steady_clock::now().time_since_epoch();

        return static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    }

    /** Without memory for the timer it runs at once. */
    static void run_after(ws_host *host, std::uint64_t delay_ms) noexcept
    {
        asio_adapter *adapter = of(host);

        try {
            adapter->timer.expires_after(std::chrono::milliseconds(delay_ms));
            adapter->timer.async_wait([keep = adapter->self](asio::error_code error) {
                if (!error)
                    keep->run();
            });
        } catch (const std::exception &) {
            wake(host);
        }
    }

    static void release(ws_host *host) noexcept
    {
        const auto keep = std::move(of(host)->self);
        asio::error_code ignored;

        keep->has_ended = true;
        keep->woken.close(ignored);
        try {
            keep->timer.cancel();
        } catch (const std::exception &) { // then it finds that the adapter has ended
        }
    }
};

} // namespace detail

/** @endcond */

/** A host on an executor, which is a strand or that of an io_context with one thread. It must be
 * freed on a thread of the executor, or after that has stopped, and before the manager and the
 * context. */
class asio_host
{
  public:
    /** Makes a host. Throws std::system_error.
     *
     * @param executor  the executor
     * @param manager   the manager
     * @param options   of the clients' endpoint; must outlive the host; nullptr for the defaults
     */
    asio_host(const asio::any_io_executor &executor, manager_ref manager,
              const ws_endpoint_options *options = nullptr)
    {
        static const ws_host_hooks hooks = {
            detail::asio_adapter::watch, detail::asio_adapter::unwatch,
            detail::asio_adapter::run_after, detail::asio_adapter::now_ms,
            detail::asio_adapter::release};
        int ends[2];

        if (pipe(ends) != 0)
            throw std::system_error(errno, std::generic_category(), "pipe");
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        auto adapter = make(executor, ends);
        detail::check(ws_host_init(&adapter->host, &hooks, manager.get(), options,
                                   detail::asio_adapter::wake),
                      "ws_host_init");
        adapter->self = adapter;
        host_.reset(&adapter->host);
        adapter->wait_for_wake();
    }

    /** The host, for the functions of host.h. The object owns it. */
    ws_host *get() const noexcept
    {
        return host_.get();
    }

    /** Frees the host; `on_drained` may call it. */
    void reset() noexcept
    {
        host_.reset();
    }

  private:
    struct deleter {
        void operator()(ws_host *host) const noexcept
        {
            ws_host_free(host);
        }
    };

    static std::shared_ptr<detail::asio_adapter> make(const asio::any_io_executor &executor,
                                                      const int *ends)
    {
        try {
            return std::make_shared<detail::asio_adapter>(executor, ends[0], ends[1]);
        } catch (...) {
            close(ends[0]);
            close(ends[1]);
            throw;
        }
    }

    std::unique_ptr<ws_host, deleter> host_;
};

} // namespace ws

#endif
