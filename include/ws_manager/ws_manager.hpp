/** @file
 * The library for C++17: handles that free themselves, callbacks as lambdas, errors as
 * std::error_code.
 *
 * @code
 * ws::handlers handlers;
 *
 * handlers.authorize_join = [](ws::manager_ref, const ws_connection_info &client,
 *                              const char *room) {
 *     return may_enter(client, room) ? std::error_code() : ws::errc::forbidden;
 * };
 * ws::manager manager(ws::manager_options(), handlers);
 *
 * manager.broadcast("order_created", json);
 * manager.to_room("orders").emit("order_updated", json);
 * if (std::error_code error = manager.to_user("ana").emit("notification", json))
 *     std::cerr << error.message() << '\n';
 * @endcode
 *
 * A method names the C function that it calls, whose description has the parameters, errors and
 * threads. Functions without a method here are called as in C, with `get()` of the handle.
 *
 * @par Errors
 * Constructors throw std::system_error. Methods return a std::error_code of ws::category(), which
 * compares equal to std::errc where that has the same meaning.
 *
 * @par Exceptions in callbacks
 * No exception leaves a callback, because the library is written in C. In a callback that decides,
 * std::bad_alloc becomes #WS_ERR_NO_MEMORY, a std::system_error of ws::category() its code, and any
 * other exception #WS_ERR_FORBIDDEN. `log` of the manager's handlers receives the text of the
 * exception, except that of `accept_handshake`. A notification ends where it throws. An exception
 * of `log` is dropped.
 *
 * @par Threads
 * Any thread may use a manager. A loop and an event belong to one thread.
 */
#ifndef WS_MANAGER_WS_MANAGER_HPP
#define WS_MANAGER_WS_MANAGER_HPP

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <ws_manager/ws_manager.h>

namespace ws
{

/** The values of enum ws_error, except #WS_OK: each is described there. */
enum class errc : int {
    deferred = WS_DEFERRED,                 /**< #WS_DEFERRED */
    invalid = WS_ERR_INVALID,               /**< #WS_ERR_INVALID */
    no_memory = WS_ERR_NO_MEMORY,           /**< #WS_ERR_NO_MEMORY */
    system = WS_ERR_SYSTEM,                 /**< #WS_ERR_SYSTEM */
    bad_json = WS_ERR_BAD_JSON,             /**< #WS_ERR_BAD_JSON */
    unknown_type = WS_ERR_UNKNOWN_TYPE,     /**< #WS_ERR_UNKNOWN_TYPE */
    too_big = WS_ERR_TOO_BIG,               /**< #WS_ERR_TOO_BIG */
    not_found = WS_ERR_NOT_FOUND,           /**< #WS_ERR_NOT_FOUND */
    already = WS_ERR_ALREADY,               /**< #WS_ERR_ALREADY */
    not_member = WS_ERR_NOT_MEMBER,         /**< #WS_ERR_NOT_MEMBER */
    forbidden = WS_ERR_FORBIDDEN,           /**< #WS_ERR_FORBIDDEN */
    too_many_rooms = WS_ERR_TOO_MANY_ROOMS, /**< #WS_ERR_TOO_MANY_ROOMS */
    limit = WS_ERR_LIMIT,                   /**< #WS_ERR_LIMIT */
    backpressure = WS_ERR_BACKPRESSURE,     /**< #WS_ERR_BACKPRESSURE */
    dropped = WS_ERR_DROPPED,               /**< #WS_ERR_DROPPED */
    draining = WS_ERR_DRAINING,             /**< #WS_ERR_DRAINING */
    closed = WS_ERR_CLOSED,                 /**< #WS_ERR_CLOSED */
    forked = WS_ERR_FORKED,                 /**< #WS_ERR_FORKED */
    timeout = WS_ERR_TIMEOUT,               /**< #WS_ERR_TIMEOUT */
    failed = WS_ERR_FAILED,                 /**< #WS_ERR_FAILED */
    misuse = WS_ERR_MISUSE                  /**< #WS_ERR_MISUSE */
};

/** @cond internal */

namespace detail
{

class error_category final : public std::error_category
{
  public:
    const char *name() const noexcept override
    {
        return "ws_manager";
    }

    std::string message(int value) const override
    {
        return ws_strerror(value);
    }

    std::error_condition default_error_condition(int value) const noexcept override
    {
        switch (value) {
        case WS_ERR_INVALID:
            return std::errc::invalid_argument;
        case WS_ERR_NO_MEMORY:
            return std::errc::not_enough_memory;
        case WS_ERR_FORBIDDEN:
            return std::errc::operation_not_permitted;
        case WS_ERR_TIMEOUT:
            return std::errc::timed_out;
        default:
            return {value, *this};
        }
    }
};

} // namespace detail

/** @endcond */

/** The category of the library's errors. */
inline const std::error_category &category() noexcept
{
    static const detail::error_category instance;

    return instance;
}

/** Makes a std::error_code of an errc, which converts implicitly. */
inline std::error_code make_error_code(errc error) noexcept
{
    return {static_cast<int>(error), category()};
}

} // namespace ws

/** @cond internal */

namespace std
{
template <> struct is_error_code_enum<ws::errc> : true_type {
};
} // namespace std

/** @endcond */

namespace ws
{

/** The error of a C function's result; no error for #WS_OK. */
inline std::error_code error_of(int result) noexcept
{
    return result == WS_OK ? std::error_code() : std::error_code(result, category());
}

/** @cond internal */

namespace detail
{

inline void check(int value, const char *what)
{
    if (value != WS_OK)
        throw std::system_error(error_of(value), what);
}

} // namespace detail

/** @endcond */

/** A NUL-terminated name or text, from a literal or a std::string, which must outlive it. */
class text
{
  public:
    /** From a NUL-terminated text. */
    text(const char *chars) noexcept : chars_(chars)
    {
    }
    /** From a string. */
    text(const std::string &string) noexcept : chars_(string.c_str())
    {
    }

    /** The text. */
    const char *get() const noexcept
    {
        return chars_;
    }

  private:
    const char *chars_;
};

/** Connections that do not receive an event. */
using excluded = std::initializer_list<ws_conn_id>;

class manager_ref;

/** An event (event.h). It belongs to one thread, and can be sent once. */
class event
{
  public:
    /** ws_event_new(). Throws std::system_error. */
    inline event(manager_ref manager, text type, std::string_view json);

    /** ws_event_set_user_id(). */
    std::error_code set_user_id(text user_id) noexcept
    {
        return error_of(ws_event_set_user_id(get(), user_id.get()));
    }

    /** ws_event_set_key(). */
    std::error_code set_key(text key) noexcept
    {
        return error_of(ws_event_set_key(get(), key.get()));
    }

    /** The event, for functions of C. The object owns it. */
    ws_event *get() const noexcept
    {
        return event_.get();
    }

  private:
    struct deleter {
        void operator()(ws_event *event) const noexcept
        {
            ws_event_free(event);
        }
    };

    std::unique_ptr<ws_event, deleter> event_;
};

/** A room as the recipient of events. The manager and the text of the name must outlive it. */
class room_ref
{
  public:
    /** The room of a name. */
    room_ref(ws_manager *manager, text name) noexcept : manager_(manager), name_(name)
    {
    }

    /** ws_manager_emit_to_room(). */
    std::error_code emit(text type, std::string_view json) const noexcept
    {
        return error_of(ws_manager_emit_to_room(manager_, name_.get(), type.get(), json.data(),
                                                json.size()));
    }

    /** ws_manager_broadcast_to_room(). */
    std::error_code send(const event &event, excluded exclude = {}) const noexcept
    {
        return error_of(ws_manager_broadcast_to_room(manager_, name_.get(), event.get(),
                                                     exclude.begin(), exclude.size()));
    }

  private:
    ws_manager *manager_;
    text name_;
};

/** A user as the recipient of events. The manager and the text of the name must outlive it. */
class user_ref
{
  public:
    /** The user of a name. */
    user_ref(ws_manager *manager, text name) noexcept : manager_(manager), name_(name)
    {
    }

    /** ws_manager_emit_to_user(). */
    std::error_code emit(text type, std::string_view json) const noexcept
    {
        return error_of(ws_manager_emit_to_user(manager_, name_.get(), type.get(), json.data(),
                                                json.size()));
    }

    /** ws_manager_send_to_user(). */
    std::error_code send(const event &event, excluded exclude = {}) const noexcept
    {
        return error_of(ws_manager_send_to_user(manager_, name_.get(), event.get(),
                                                exclude.begin(), exclude.size()));
    }

  private:
    ws_manager *manager_;
    text name_;
};

/** A manager that this object does not own: in a callback, or default_manager(). */
class manager_ref
{
  public:
    /** The manager, which must outlive the object. */
    explicit manager_ref(ws_manager *manager) noexcept : manager_(manager)
    {
    }

    /** The manager, for functions of C. */
    ws_manager *get() const noexcept
    {
        return manager_;
    }

    /** The room of a name, which need not exist. */
    room_ref to_room(text room) const noexcept
    {
        return {manager_, room};
    }

    /** The user of a name, who need not be connected. */
    user_ref to_user(text user_id) const noexcept
    {
        return {manager_, user_id};
    }

    /** ws_manager_emit(): to everyone, or to the room that route_event_type() has set. */
    std::error_code broadcast(text type, std::string_view json) const noexcept
    {
        return error_of(ws_manager_emit(manager_, type.get(), json.data(), json.size()));
    }

    /** ws_manager_broadcast(). */
    std::error_code broadcast(const event &event, excluded exclude = {}) const noexcept
    {
        return error_of(
            ws_manager_broadcast(manager_, event.get(), exclude.begin(), exclude.size()));
    }

    /** ws_manager_send_personal_message(). */
    std::error_code send(ws_conn_id connection, const event &event) const noexcept
    {
        return error_of(
            ws_manager_send_personal_message(manager_, connection, event.get(), nullptr, 0));
    }

    /** ws_manager_register_event_type(). */
    std::error_code register_event_type(text type) const noexcept
    {
        return error_of(ws_manager_register_event_type(manager_, type.get()));
    }

    /** ws_manager_route_event_type(). */
    std::error_code route_event_type(text type, text room) const noexcept
    {
        return error_of(ws_manager_route_event_type(manager_, type.get(), room.get()));
    }

    /** ws_manager_join_room(). */
    std::error_code join_room(ws_conn_id connection, text room) const noexcept
    {
        return error_of(ws_manager_join_room(manager_, connection, room.get()));
    }

    /** ws_manager_leave_room(). */
    std::error_code leave_room(ws_conn_id connection, text room) const noexcept
    {
        return error_of(ws_manager_leave_room(manager_, connection, room.get()));
    }

    /** ws_manager_is_member(). */
    bool is_member(ws_conn_id connection, text room) const noexcept
    {
        return ws_manager_is_member(manager_, connection, room.get()) != 0;
    }

    /** ws_manager_disconnect(). */
    std::error_code disconnect(ws_conn_id connection, std::uint16_t code,
                               text reason) const noexcept
    {
        return error_of(ws_manager_disconnect(manager_, connection, code, reason.get()));
    }

    /** ws_manager_drain(). */
    std::error_code drain(const ws_drain_options *options = nullptr) const noexcept
    {
        return error_of(ws_manager_drain(manager_, options));
    }

    /** ws_manager_connection_count(). */
    std::size_t connection_count() const noexcept
    {
        return ws_manager_connection_count(manager_);
    }

    /** ws_manager_get_stats(). Throws std::system_error. */
    std::string stats() const
    {
        auto free_text = [this](char *text) { ws_manager_free_text(manager_, text); };
        char *text = nullptr;
        std::size_t length = 0;

        detail::check(ws_manager_get_stats(manager_, &text, &length), "ws_manager_get_stats");
        const std::unique_ptr<char, decltype(free_text)> owner(text, free_text);
        return {text, length};
    }

  private:
    ws_manager *manager_;
};

/** ws_manager_default(), which the `emit_` functions use. Its `get()` is nullptr if the manager
 * could not be made. */
inline manager_ref default_manager() noexcept
{
    return manager_ref(ws_manager_default());
}

inline event::event(manager_ref manager, text type, std::string_view json)
{
    ws_event *made = nullptr;

    detail::check(ws_event_new(manager.get(), type.get(), json.data(), json.size(), &made),
                  "ws_event_new");
    event_.reset(made);
}

/** The callbacks of a manager as functions, which callbacks.h describes. Each may be empty. Loops
 * call them on their threads. */
struct handlers {
    using client = const ws_connection_info &; /**< the connection; valid during the call */

    /** ws_connect_callback(). */
    std::function<void(manager_ref, client)> on_connect;

    /** ws_disconnect_callback(). */
    std::function<void(manager_ref, client, std::uint16_t code, const char *reason)>
        on_disconnect;

    /** ws_authorize_join_callback(). */
    std::function<std::error_code(manager_ref, client, const char *room)> authorize_join;

    /** ws_authorize_presence_callback(). */
    std::function<std::error_code(manager_ref, client, const char *room)> authorize_presence;

    /** ws_authenticate_callback(). */
    std::function<std::error_code(manager_ref, client, const char *token)> authenticate;

    /** ws_client_message_callback(). */
    std::function<std::error_code(manager_ref, client, const ws_client_message &)>
        accept_message;

    /** ws_join_callback(). */
    std::function<void(manager_ref, client, const char *room, int result)> on_join;

    /** ws_leave_callback(). */
    std::function<void(manager_ref, client, const char *room, int result)> on_leave;

    /** ws_presence_callback(). */
    std::function<void(manager_ref, const ws_presence_change &)> on_presence;

    /** ws_backpressure_callback(). */
    std::function<void(manager_ref, client, int is_high)> on_backpressure;

    /** ws_raw_callback(). */
    std::function<void(manager_ref, client, const void *, std::size_t, int is_text)> on_raw;

    /** ws_log_callback(). */
    std::function<void(int level, const char *line)> log;
};

/** The options of a manager, with their defaults. Handlers replace the callbacks here, and use
 * `user_data`: it must not be set together with handlers (#WS_ERR_INVALID). */
struct manager_options : ws_manager_options {
    /** ws_manager_options_init(). */
    manager_options() noexcept : ws_manager_options()
    {
        ws_manager_options_init(this);
    }
};

/** @cond internal */

namespace detail
{

using log_function = std::function<void(int, const char *)>;

inline void report(const log_function &log, const char *what) noexcept
{
    try {
        if (log)
            log(WS_LOG_ERROR, (std::string("a callback threw an exception: ") + what).c_str());
    } catch (...) { // there is no other place to report it
    }
}

/** The result of a callback, also if it throws. */
template <class Function>
int guarded(const log_function &log, const Function &function) noexcept
{
    try {
        const std::error_code error = function();

        if (!error || error.category() == category())
            return error.value();
        report(log, error.message().c_str());
        return WS_ERR_FORBIDDEN;
    } catch (const std::bad_alloc &exception) {
        report(log, exception.what());
        return WS_ERR_NO_MEMORY;
    } catch (const std::system_error &exception) {
        report(log, exception.what());
        return exception.code().category() == category() && exception.code().value() < 0
                   ? exception.code().value()
                   : WS_ERR_FORBIDDEN;
    } catch (const std::exception &exception) {
        report(log, exception.what());
    } catch (...) {
        report(log, "of an unknown type");
    }
    return WS_ERR_FORBIDDEN;
}

template <class T> T pass(T value) noexcept
{
    return value;
}

inline const ws_connection_info &pass(const ws_connection_info *info) noexcept
{
    return *info;
}

inline const ws_client_message &pass(const ws_client_message *message) noexcept
{
    return *message;
}

inline const ws_presence_change &pass(const ws_presence_change *change) noexcept
{
    return *change;
}

/** The C functions for one of the handlers. */
template <auto Member, class... Arguments> struct trampoline {
    static int decide(ws_manager *manager, Arguments... arguments, void *user_data) noexcept
    {
        const handlers &all = *static_cast<const handlers *>(user_data);

        return guarded(all.log,
                       [&] { return (all.*Member)(manager_ref(manager), pass(arguments)...); });
    }

    static void notify(ws_manager *manager, Arguments... arguments, void *user_data) noexcept
    {
        const handlers &all = *static_cast<const handlers *>(user_data);

        guarded(all.log, [&] {
            (all.*Member)(manager_ref(manager), pass(arguments)...);
            return std::error_code();
        });
    }
};

inline void log_line(int level, const char *line, void *user_data) noexcept
{
    try {
        static_cast<const handlers *>(user_data)->log(level, line);
    } catch (...) { // there is no other place to report it
    }
}

using info = const ws_connection_info *;

inline bool is_empty(const handlers &all) noexcept
{
    return !all.on_connect && !all.on_disconnect && !all.authorize_join &&
           !all.authorize_presence && !all.authenticate && !all.accept_message &&
           !all.on_join && !all.on_leave && !all.on_presence && !all.on_backpressure &&
           !all.on_raw && !all.log;
}

/** Sets the callbacks of those handlers that are not empty. */
inline void set_callbacks(handlers &from, ws_manager_options &to) noexcept
{
    using h = handlers;
    using chars = const char *;

    if (is_empty(from))
        return;
    to.user_data = &from;
    if (from.on_connect)
        to.on_connect = trampoline<&h::on_connect, info>::notify;
    if (from.on_disconnect)
        to.on_disconnect = trampoline<&h::on_disconnect, info, std::uint16_t, chars>::notify;
    if (from.authorize_join)
        to.authorize_join = trampoline<&h::authorize_join, info, chars>::decide;
    if (from.authorize_presence)
        to.authorize_presence = trampoline<&h::authorize_presence, info, chars>::decide;
    if (from.authenticate)
        to.authenticate = trampoline<&h::authenticate, info, chars>::decide;
    if (from.accept_message)
        to.accept_message =
            trampoline<&h::accept_message, info, const ws_client_message *>::decide;
    if (from.on_join)
        to.on_join = trampoline<&h::on_join, info, chars, int>::notify;
    if (from.on_leave)
        to.on_leave = trampoline<&h::on_leave, info, chars, int>::notify;
    if (from.on_presence)
        to.on_presence = trampoline<&h::on_presence, const ws_presence_change *>::notify;
    if (from.on_backpressure)
        to.on_backpressure = trampoline<&h::on_backpressure, info, int>::notify;
    if (from.on_raw)
        to.on_raw = trampoline<&h::on_raw, info, const void *, std::size_t, int>::notify;
    if (from.log)
        to.log = log_line;
}

/** A manager with its handlers, which loops and endpoints share: a callback may be called until the
 * last loop is freed. */
struct manager_state {
    handlers callbacks;
    std::unique_ptr<ws_manager, void (*)(ws_manager *)> manager{nullptr, ws_manager_free};
};

} // namespace detail

/** @endcond */

/** A manager that the object owns. Its loops and endpoints keep it alive. Hosts of adapters and
 * servers must be freed before it. */
class manager : public manager_ref
{
  public:
    /** ws_manager_new(). Throws std::system_error. */
    explicit manager(const manager_options &options = {}, handlers handlers = {})
        : manager(make(options, std::move(handlers)))
    {
    }

    /** The manager with its handlers, for objects that keep it alive. */
    const std::shared_ptr<detail::manager_state> &state() const noexcept
    {
        return state_;
    }

  private:
    explicit manager(std::shared_ptr<detail::manager_state> state) noexcept
        : manager_ref(state->manager.get()), state_(std::move(state))
    {
    }

    static std::shared_ptr<detail::manager_state> make(ws_manager_options options,
                                                       handlers handlers)
    {
        auto state = std::make_shared<detail::manager_state>();
        ws_manager *made = nullptr;

        state->callbacks = std::move(handlers);
        if (options.user_data != nullptr && !detail::is_empty(state->callbacks))
            detail::check(WS_ERR_INVALID, "user_data of handlers and of C callbacks");
        detail::set_callbacks(state->callbacks, options);
        detail::check(ws_manager_new(&options, &made), "ws_manager_new");
        state->manager.reset(made);
        return state;
    }

    std::shared_ptr<detail::manager_state> state_;
};

/** One event-loop thread's share of a manager (loop.h). */
class loop
{
  public:
    /** ws_loop_new(). Throws std::system_error.
     *
     * @param manager  the manager, which the loop keeps alive
     * @param now_ms   the time, as for run()
     * @param wake     makes the host call run() soon; any thread calls it, and it must not throw
     */
    loop(const manager &manager, std::uint64_t now_ms, std::function<void()> wake = {})
        : state_(std::make_unique<state>(state{manager.state(), std::move(wake), {}}))
    {
        ws_loop_options options;
        ws_loop *made = nullptr;

        ws_loop_options_init(&options);
        options.user_data = state_.get();
        if (state_->wake)
            options.wake = [](void *user_data) noexcept {
                static_cast<state *>(user_data)->wake();
            };
        detail::check(ws_loop_new(manager.get(), &options, now_ms, &made), "ws_loop_new");
        state_->loop.reset(made);
    }

    /** ws_loop_run(). */
    std::uint64_t run(std::uint64_t now_ms) noexcept
    {
        return ws_loop_run(get(), now_ms);
    }

    /** The loop, for functions of C. The object owns it. */
    ws_loop *get() const noexcept
    {
        return state_->loop.get();
    }

  private:
    struct deleter {
        void operator()(ws_loop *loop) const noexcept
        {
            ws_loop_free(loop);
        }
    };

    struct state {
        std::shared_ptr<detail::manager_state> manager;
        std::function<void()> wake;
        std::unique_ptr<ws_loop, deleter> loop;
    };

    std::unique_ptr<state> state_;
};

/** Decides who may connect (handshake.h). */
using accept_handshake = std::function<std::error_code(ws_handshake &)>;

/** The options of an endpoint, with their defaults, also for adapters and servers, which take the C
 * struct. The object must outlive the endpoint, and can be neither copied nor moved. */
struct endpoint_options : ws_endpoint_options {
    /** ws_endpoint_options_init(), with a function that accepts clients. */
    explicit endpoint_options(ws::accept_handshake accept = {})
        : ws_endpoint_options(), accept_(std::move(accept))
    {
        ws_endpoint_options_init(this);
        user_data = this;
        if (accept_)
            accept_handshake = [](ws_handshake *handshake, void *options) noexcept {
                const auto &accept_function = static_cast<endpoint_options *>(options)->accept_;

                return detail::guarded({}, [&] { return accept_function(*handshake); });
            };
    }

    /** Not copied: its address is the `user_data` of its callback. */
    endpoint_options(const endpoint_options &) = delete;
    /** Not copied: its address is the `user_data` of its callback. */
    endpoint_options &operator=(const endpoint_options &) = delete;

  private:
    ws::accept_handshake accept_;
};

/** The options that the connections of one path share (websocket.h). */
class endpoint
{
  public:
    /** ws_endpoint_new(). Throws std::system_error.
     *
     * @param manager  the manager, which the endpoint keeps alive
     * @param options  must outlive the endpoint's connections
     */
    explicit endpoint(const manager &manager, const endpoint_options &options)
        : state_(manager.state())
    {
        ws_endpoint *made = nullptr;

        detail::check(ws_endpoint_new(manager.get(), &options, &made), "ws_endpoint_new");
        endpoint_.reset(made);
    }

    /** The endpoint, for functions of C. The object owns it. */
    ws_endpoint *get() const noexcept
    {
        return endpoint_.get();
    }

  private:
    struct deleter {
        void operator()(ws_endpoint *endpoint) const noexcept
        {
            ws_endpoint_free(endpoint);
        }
    };

    std::shared_ptr<detail::manager_state> state_;
    std::unique_ptr<ws_endpoint, deleter> endpoint_;
};

} // namespace ws

#endif
