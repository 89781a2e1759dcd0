"""The servers that are compared: how each is started, what its clients send, and what it needs.

Not here: what is measured (scenarios.py) and how (measure.py)."""
import dataclasses
import pathlib
import typing

BENCH = pathlib.Path(__file__).resolve().parent
PEERS = BENCH / "peers"
NPM = f"cd {PEERS} && npm ci"


def as_it_is(body):
    return body


@dataclasses.dataclass(frozen=True)
class Server:
    name: str
    # The command for each kind of scenario; {port} is filled in. The server is left out of other kinds.
    commands: dict
    needs: pathlib.Path
    install: str  # how to install what it needs
    path: str = "/ws"
    protocol: str = "websocket"  # as the load calls it
    hello: str = ""
    # What the clients speak instead in some kinds of scenarios: the load's arguments.
    others: dict = dataclasses.field(default_factory=dict)
    publish: typing.Callable = as_it_is  # what a client sends to have this JSON delivered
    echo_path: str = ""  # the path at which messages are returned unchanged

    def load_arguments(self, kind, body):
        if kind == "echo" and self.echo_path:
            return ["--path", self.echo_path, "--publish", body]
        published = ["--publish", self.publish(body)]
        if kind in self.others:
            return published + self.others[kind]
        arguments = ["--path", self.path, "--protocol", self.protocol, *published]
        return arguments + (["--hello", self.hello] if self.hello else [])


def others(path, protocol, publisher_path, publisher_protocol="websocket", hello=""):
    """Clients that speak a protocol, of which the first one publishes over a WebSocket."""
    arguments = [
        "--path", path, "--protocol", protocol,
        "--publisher", publisher_path, "--publisher-protocol", publisher_protocol,
    ]  # fmt: skip
    return arguments + (["--hello", hello] if hello else [])


SOCKETIO = "/socket.io/?EIO=4&transport="


def libwsmanager(build):
    program = build / "examples/backend/orders-backend"
    common = [
        program, "--relay", "--db", ":memory:", "--log-level", "error",
        "--listen", "127.0.0.1:{port}",
        "--max-queue", 64 * 1024 * 1024,  # a benchmark's clients may lag behind
    ]
    quiet = [*common, "--no-presence", "--threads", "1"]
    room = "/ws?rooms=r"
    return Server(
        name="libwsmanager",
        commands={
            "fanout": quiet,
            "deflate": quiet,
            "connections": quiet,
            "echo": [*quiet, "--echo"],
            "presence": [*common, "--threads", "1"],
            "two loops": [*common, "--no-presence", "--threads", "2"],
            "stream": quiet,
            "socketio": quiet,
            "sse": quiet,
            "polling": quiet,
        },
        others={
            "socketio": others(
                SOCKETIO + "websocket", "socketio", room, hello='42["join_room","r"]'
            ),
            "sse": others("/events?rooms=r", "sse", room),
            "polling": others(
                SOCKETIO + "polling", "polling", room, hello='42["join_room","r"]'
            ),
        },
        needs=program,
        install="build with -Dexamples=enabled",
        hello='{"type":"join_room","room":"r"}',
        publish=lambda body: f'{{"type":"message","room":"r","data":{body}}}',
        echo_path="/echo",
    )


def libwsmanager_on_redis(build):
    """libwsmanager with Redis: every event goes to Redis and comes back."""
    alone = libwsmanager(build)
    return dataclasses.replace(
        alone,
        name="with Redis",
        commands={"stream": [BENCH / "with-redis", *alone.commands["stream"]]},
        needs=pathlib.Path("/usr/bin/redis-server"),
        install="apt-get install redis-server",
    )


def floor(build, mode):
    program = build / "tests/bench/floor"
    command = [program, "{port}", mode]
    commands = {"fanout": command}
    if mode == "send":  # in these scenarios both modes do the same
        commands |= {"connections": command, "echo": [program, "{port}", "echo"]}
    return Server(
        name=f"floor-{mode}",
        commands=commands,
        needs=program,
        install="build with -Dtests=enabled",
    )


def peer(name, command, needs, install, more_commands=None, **how):
    return Server(
        name=name,
        commands={
            "fanout": command,
            "connections": command,
            "echo": [*command, "echo"],
            **(more_commands or {}),
        },
        needs=needs,
        install=install,
        **how,
    )


def all_servers(build):
    wslay = build / "tests/bench/peers/wslay-by-hand"
    libwebsockets = build / "tests/bench/peers/libwebsockets"
    ws = ["node", PEERS / "ws.mjs", "{port}"]
    return [
        floor(build, "send"),
        floor(build, "batch"),
        libwsmanager(build),
        libwsmanager_on_redis(build),
        peer("wslay", [wslay, "{port}"], wslay, "build with -Dtests=enabled"),
        peer(
            "libwebsockets",
            [libwebsockets, "{port}"],
            libwebsockets,
            "apt-get install libwebsockets-dev, and configure and build again",
        ),
        peer("ws", ws, PEERS / "node_modules/ws", NPM, {"deflate": [*ws, "deflate"]}),
        peer(
            "socket.io",
            ["node", PEERS / "socketio.mjs", "{port}"],
            PEERS / "node_modules/socket.io",
            NPM,
            {"polling": ["node", PEERS / "socketio.mjs", "{port}"]},
            path=SOCKETIO + "websocket",
            protocol="socketio",
            others={
                "polling": others(SOCKETIO + "polling", "polling", SOCKETIO + "websocket", "socketio")
            },
            publish=lambda body: f'42["m",{body}]',
        ),
    ]
