/* presence.c: who is in a room, and how they are. Clients open ws://ADDRESS:PORT/?user_id=ana
 *   -> {"type":"join_room","room":"lobby","presence":true}
 *   <- {"type":"presence","room":"lobby","data":{"count":1,"members":[{"user_id":"ana",…}]}}
 *   <- {"type":"request","ref":"1","method":"accept_rules","data":null}
 *   -> {"type":"response","ref":"1","data":true}
 *   -> {"type":"request","method":"feel","data":"fine","ref":1}
 * and everyone in the room receives {"type":"presence_changed",…,"changed":[{…}]}. */
#include "host.h"

static int authorize_presence(ws_manager *manager, const ws_connection_info *connection,
                              const char *room, void *user_data)
{
    (void)manager, (void)connection, (void)user_data;
    return room != NULL ? WS_OK : WS_ERR_FORBIDDEN; /* NULL: of the whole service */
}

/* A method that clients call: sets the user's state. */
static int feel(ws_manager *manager, const ws_connection_info *connection,
                const ws_client_message *message, void *user_data)
{
    (void)user_data;
    return ws_manager_set_presence_state(manager, "lobby", connection->user_id, message->data,
                                         message->length);
}

/* A method of clients. One that answers with an error, or not in time, leaves the room. */
static void on_response(ws_manager *manager, ws_conn_id connection, const ws_response *response,
                        void *user_data)
{
    (void)user_data;
    if (response->result != WS_OK)
        ws_manager_leave_room(manager, connection, "lobby");
}

static void on_join(ws_manager *manager, const ws_connection_info *connection, const char *room,
                    int result, void *user_data)
{
    ws_request request;
    (void)room, (void)user_data;
    ws_request_init(&request);
    request.method = "accept_rules";
    request.on_response = on_response;
    if (result == WS_OK)
        ws_manager_request(manager, connection->id, &request);
}

int main(int argc, char **argv)
{
    ws_manager_options options;
    ws_manager *manager;
    ws_manager_options_init(&options);
    options.authorize_presence = authorize_presence;
    options.on_join = on_join;
    if (ws_manager_new(&options, &manager) != WS_OK ||
        ws_manager_register_method(manager, "feel", feel, NULL) != WS_OK)
        return 1;
    host_serve_users(argc > 1 ? argv[1] : "127.0.0.1:3000", manager);
    ws_manager_free(manager);
    return 0;
}
