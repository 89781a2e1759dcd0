"""What the package uses of the library's headers (include/ws_manager/), for cffi.

Each struct of options begins with its size: a library with newer headers fills in the defaults of options
that are missing here. tests/python/test_definitions.py compares this text with the headers."""

CONSTANTS = """
enum ws_error {
    WS_DEFERRED = 1, WS_OK = 0, WS_ERR_INVALID = -1, WS_ERR_NO_MEMORY = -2, WS_ERR_SYSTEM = -3,
    WS_ERR_BAD_JSON = -4, WS_ERR_UNKNOWN_TYPE = -5, WS_ERR_TOO_BIG = -6, WS_ERR_NOT_FOUND = -7,
    WS_ERR_ALREADY = -8, WS_ERR_NOT_MEMBER = -9, WS_ERR_FORBIDDEN = -10,
    WS_ERR_TOO_MANY_ROOMS = -11, WS_ERR_LIMIT = -12, WS_ERR_BACKPRESSURE = -13,
    WS_ERR_DROPPED = -14, WS_ERR_DRAINING = -15, WS_ERR_CLOSED = -16, WS_ERR_FORKED = -17,
    WS_ERR_TIMEOUT = -18, WS_ERR_FAILED = -19, WS_ERR_MISUSE = -20
};
enum ws_log_level { WS_LOG_ERROR = 0, WS_LOG_WARN = 1, WS_LOG_INFO = 2, WS_LOG_DEBUG = 3 };
enum ws_protocol { WS_PROTOCOL_JSON = 0, WS_PROTOCOL_SOCKETIO = 2 };
enum ws_server_route_kind {
    WS_SERVER_WEBSOCKET = 0, WS_SERVER_EVENTS = 1, WS_SERVER_SOCKETIO = 2
};
"""

TYPES = """
typedef struct ws_manager ws_manager;
typedef struct ws_loop ws_loop;
typedef struct ws_event ws_event;
typedef struct ws_message ws_message;
typedef struct ws_endpoint ws_endpoint;
typedef struct ws_handshake ws_handshake;
typedef struct ws_server ws_server;
typedef struct ws_allocator ws_allocator;
typedef struct ws_socketio_options ws_socketio_options;
typedef uint64_t ws_conn_id;

typedef struct ws_connection_info {
    size_t size;
    ws_conn_id id;
    const char *user_id;
    void *user_data;
} ws_connection_info;

typedef struct ws_answer {
    ws_conn_id connection;
    uint64_t number;
} ws_answer;

typedef struct ws_client_message {
    size_t size;
    const char *type;
    const char *method;
    const char *room;
    const char *data;
    size_t length;
    ws_answer answer;
} ws_client_message;

typedef void ws_wake_callback(void *user_data);
typedef void ws_log_callback(int level, const char *line, void *user_data);
typedef void ws_connect_callback(ws_manager *, const ws_connection_info *, void *user_data);
typedef void ws_disconnect_callback(ws_manager *, const ws_connection_info *, uint16_t code,
                                    const char *reason, void *user_data);
typedef int ws_authorize_join_callback(ws_manager *, const ws_connection_info *,
                                       const char *room, void *user_data);
typedef int ws_authorize_presence_callback(ws_manager *, const ws_connection_info *,
                                           const char *room, void *user_data);
typedef void ws_join_callback(ws_manager *, const ws_connection_info *, const char *room,
                              int result, void *user_data);
typedef void ws_leave_callback(ws_manager *, const ws_connection_info *, const char *room,
                               int result, void *user_data);
typedef int ws_client_message_callback(ws_manager *, const ws_connection_info *,
                                       const ws_client_message *, void *user_data);
typedef int ws_accept_handshake_callback(ws_handshake *, void *user_data);
typedef int ws_allow_origin_callback(ws_handshake *, void *user_data);

typedef struct ws_manager_options {
    size_t size;
    void *user_data;
    ws_connect_callback *on_connect;
    ws_disconnect_callback *on_disconnect;
    ws_authorize_join_callback *authorize_join;
    ws_join_callback *on_join;
    ws_leave_callback *on_leave;
    ws_client_message_callback *accept_message;
    void *authenticate;
    ws_authorize_presence_callback *authorize_presence;
    void *on_presence;
    void *on_raw;
    void *on_process_message;
    void *on_processes_gap;
    ws_log_callback *log;
    void *clock;
    const ws_allocator *allocator;
    int32_t presence_events;
    const char *presence_room;
    uint32_t presence_grace_ms;
    uint32_t presence_batch_ms;
    uint32_t max_presence_list;
    uint32_t max_presence_members;
    uint64_t max_presence_bytes;
    uint32_t max_presence_deliveries;
    uint32_t max_connections;
    uint32_t max_rooms_per_connection;
    uint32_t max_rooms;
    uint32_t max_event_bytes;
    uint32_t max_client_json_depth;
    uint32_t max_pending;
    uint32_t message_rate;
    uint32_t message_burst;
    uint32_t answer_timeout_ms;
    uint32_t max_waiting_answers;
    uint32_t max_kept_answers;
    uint32_t max_kept_answer_bytes;
    uint64_t max_kept_bytes;
    uint32_t kept_answers_ms;
    uint32_t max_waiting_requests;
    uint32_t max_waiting;
    int32_t slow_policy;
    void *keep_slow_client;
    void *on_backpressure;
    uint32_t history_events;
    uint32_t history_age_ms;
    uint64_t history_bytes;
    uint64_t last_values_bytes;
} ws_manager_options;

typedef struct ws_transport {
    size_t size;
    int (*send)(ws_message *message, void *transport_data);
    void (*close)(uint16_t code, const char *reason, size_t length, void *transport_data);
    void (*resume)(void *transport_data);
} ws_transport;

typedef struct ws_connect_options {
    size_t size;
    const ws_transport *transport;
    void *transport_data;
    const char *user_id;
    void *user_data;
    int32_t protocol;
    uint32_t ping_interval_ms;
    const char *after;
    const char *former_connection_id;
    const char *const *rooms;
    size_t n_rooms;
    int32_t with_state;
    uint32_t last_events;
} ws_connect_options;

typedef struct ws_loop_options {
    size_t size;
    ws_wake_callback *wake;
    void *user_data;
} ws_loop_options;

typedef struct ws_endpoint_options {
    size_t size;
    ws_accept_handshake_callback *accept_handshake;
    ws_allow_origin_callback *allow_origin;
    const char *const *allowed_headers;
    size_t n_allowed_headers;
    void *user_data;
    int32_t protocol;
    const ws_socketio_options *socketio;
    const char *const *subprotocols;
    size_t n_subprotocols;
    int32_t deflate;
    uint32_t deflate_min_bytes;
    uint32_t handshake_timeout_ms;
    uint32_t ping_interval_ms;
    uint32_t pong_timeout_ms;
    uint32_t close_timeout_ms;
    uint32_t max_head_bytes;
    uint32_t max_message_bytes;
    uint32_t max_fragments;
    uint32_t max_control_frames;
    uint32_t max_continuation_frames;
    uint32_t max_queue_bytes;
    uint64_t max_loop_queue_bytes;
    uint32_t queue_high_bytes;
    uint32_t queue_low_bytes;
    uint32_t max_sessions_per_client;
} ws_endpoint_options;

typedef struct ws_server_route {
    const char *path;
    ws_endpoint *endpoint;
    int32_t kind;
} ws_server_route;

typedef struct ws_server_options {
    size_t size;
    void *user_data;
    void *accept_request;
    void *on_request;
    void *classify_request;
    void *on_thread;
    void *run_timers;
    void *on_fd;
    void *free_data;
    void *confirm_stop;
    void *on_stopped;
    int32_t fd;
    const char *listen;
    const char *admin_listen;
    const char *tls_cert_file;
    const char *tls_key_file;
    const char *const *trusted_proxies;
    size_t n_trusted_proxies;
    const ws_server_route *routes;
    size_t n_routes;
    const char *const *origins;
    size_t n_origins;
    const char *health_path;
    const char *metrics_path;
    uint32_t max_per_address;
    uint32_t accept_cost;
    uint64_t max_descriptors;
    uint32_t threads;
    int32_t caller_runs;
    uint32_t stop_timeout_ms;
    uint32_t retry_spread_ms;
    ws_log_callback *log;
    int32_t log_level;
    char *problem;
    size_t problem_size;
} ws_server_options;
"""

FUNCTIONS = """
const char *ws_strerror(int error);
int ws_name_is_valid(const char *name);

void ws_manager_options_init_size(ws_manager_options *options, size_t size);
int ws_manager_new(const ws_manager_options *options, ws_manager **manager);
void ws_manager_free(ws_manager *manager);
int ws_manager_join_room(ws_manager *, ws_conn_id connection, const char *room);
int ws_manager_leave_room(ws_manager *, ws_conn_id connection, const char *room);
int ws_manager_is_member(ws_manager *, ws_conn_id connection, const char *room);
int ws_manager_get_stats(ws_manager *, char **text, size_t *length);
void ws_manager_free_text(ws_manager *, char *text);

int ws_event_new(ws_manager *, const char *type, const char *data, size_t length,
                 ws_event **event);
void ws_event_free(ws_event *event);
int ws_event_set_user_id(ws_event *event, const char *user_id);
const char *ws_event_id(const ws_event *event);
int64_t ws_event_timestamp_ms(const ws_event *event);
int ws_manager_register_event_type(ws_manager *, const char *type);
int ws_manager_route_event_type(ws_manager *, const char *type, const char *room);

int ws_manager_send_personal_message(ws_manager *, ws_conn_id connection, ws_event *event,
                                     const ws_conn_id *exclude, size_t n_exclude);
int ws_manager_send_to_user(ws_manager *, const char *user_id, ws_event *event,
                            const ws_conn_id *exclude, size_t n_exclude);
int ws_manager_broadcast_to_room(ws_manager *, const char *room, ws_event *event,
                                 const ws_conn_id *exclude, size_t n_exclude);
int ws_manager_broadcast(ws_manager *, ws_event *event, const ws_conn_id *exclude,
                         size_t n_exclude);
int ws_manager_emit(ws_manager *, const char *type, const char *json, size_t length);
int ws_manager_emit_notification(ws_manager *, const char *message, const char *user_id,
                                 const char *severity);
int ws_manager_answer(ws_manager *, ws_answer answer, const char *json, size_t length);

void ws_connect_options_init_size(ws_connect_options *options, size_t size);
int ws_manager_connect(ws_manager *, ws_loop *, const ws_connect_options *options,
                       ws_conn_id *connection);
int ws_manager_disconnect(ws_manager *, ws_conn_id connection, uint16_t code,
                          const char *reason);

void ws_loop_options_init_size(ws_loop_options *options, size_t size);
int ws_loop_new(ws_manager *, const ws_loop_options *options, uint64_t now_ms, ws_loop **loop);
uint64_t ws_loop_run(ws_loop *loop, uint64_t now_ms);
void ws_loop_free(ws_loop *loop);

const void *ws_message_payload(const ws_message *message, size_t *length);
int ws_message_is_text(const ws_message *message);
ws_message *ws_message_ref(ws_message *message);
void ws_message_unref(ws_message *message);
int ws_manager_receive(ws_manager *, ws_conn_id connection, const void *data, size_t length,
                       int is_text);
int ws_manager_transport_writable(ws_manager *, ws_conn_id connection);
int ws_manager_transport_closed(ws_manager *, ws_conn_id connection, uint16_t code,
                                const char *reason);

void ws_endpoint_options_init_size(ws_endpoint_options *options, size_t size);
int ws_endpoint_new(ws_manager *, const ws_endpoint_options *options, ws_endpoint **endpoint);
void ws_endpoint_free(ws_endpoint *endpoint);
const char *ws_handshake_path(const ws_handshake *handshake);
int ws_handshake_query_parameter(ws_handshake *handshake, const char *name, const char **value,
                                 size_t *length);
const char *ws_handshake_header(ws_handshake *handshake, const char *name);
int ws_handshake_set_user_id(ws_handshake *handshake, const char *user_id);
int ws_handshake_refuse(ws_handshake *handshake, int status, const char *text);
"""

SERVER_FUNCTIONS = """
void ws_server_options_init_size(ws_server_options *options, size_t size);
int ws_server_start(ws_manager *, const ws_server_options *options, ws_server **server);
void ws_server_stop(ws_server *server);
void ws_server_free(ws_server *server);
int ws_server_check_page(ws_handshake *handshake);
const char *ws_server_url(const ws_server *server);
"""
