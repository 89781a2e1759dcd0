"""What a client keeps from one connection to the next, by protocol: what it says when it connects, and
whether it was notified that events are missing.

Not here: connections (crowd.py, returning.py)."""
import json
import urllib.parse


class Asked:
    """The requests and messages of a client, each with a ref of its own. Each ends once: it is answered, or its
    connection ends, and then it is unknown whether it was carried out. The backend echoes requests, and without
    --relay it refuses messages."""

    FIRST = 1000  # above the refs of joins

    def __init__(self):
        self.open = {}  # by ref: the type of the answer
        self.n_answered = self.n_lost = 0

    def next(self):
        """A ref, and whether it is for a request."""
        ref = self.FIRST + self.n_answered + self.n_lost + len(self.open)
        self.open[ref] = "response" if ref % 2 else "error"
        return ref, self.open[ref] == "response"

    def answered(self, ref, answer):
        expected = self.open.pop(ref, None)
        what = answer["data"] if expected == "response" else answer["data"]["code"]
        if answer["type"] != expected or what not in (ref, "forbidden"):
            raise ValueError(f"not the only answer to {ref}: {answer}")
        self.n_answered += 1

    def lose(self):
        """The connection has ended."""
        self.n_lost += len(self.open)
        self.open.clear()


class JsonSession:
    """The library's own protocol, of WebSockets and event streams. An event stream sets `position` before
    it connects again, to the last id of the former stream."""

    def __init__(self, rooms=(), user_id=None):
        self.query = {"rooms": ",".join(rooms), "user_id": user_id}
        self.position = self.former = None
        self.is_live = False
        self.n_incomplete = 0  # how often it was notified that something is missing
        self.replies = []  # packets that the connection has to send
        self.asked = Asked()
        self._is_unsure = False

    def begin(self):
        """A connection begins. One that ended before its `recovered` has told of a gap by its welcome."""
        self.n_incomplete += self._is_unsure
        self.is_live = self._is_unsure = False
        self._asked = self.position
        self.asked.lose()
        self.replies = []

    def ask(self):
        """Sends a request, or a message."""
        ref, is_request = self.asked.next()
        kind = {"type": "request", "method": "echo"} if is_request else {"type": "message", "room": "r"}
        self.replies.append(json.dumps({**kind, "data": ref, "ref": ref}))

    def path(self, resource="/ws", with_position=True):
        query = self.query
        if with_position:
            query = {**query, "after": self.position, "connection_id": self.former}
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value})
        return f"{resource}?{query}"

    def saw(self, event_id):
        """An event with this id has arrived."""
        self.position = event_id

    def take(self, message):
        """Reads a message, as text or parsed; returns the event that it is, or None."""
        if isinstance(message, str):
            message = json.loads(message)
        data = message["data"]
        if "ref" in message:
            self.asked.answered(message["ref"], message)
            return None
        if "id" in message:
            self.position = message["id"]
            return message
        if message["type"] == "welcome":
            self._current = data["connection_id"]
            self.id = data.get("session_id")  # of an event stream
            if self._asked is None:
                self.former = self._current
                self.is_live = True
            self._is_unsure = self._asked is not None and data["id"] != self._asked
            self.position = data["id"]
        elif message["type"] == "recovered":
            self.n_incomplete += not data["complete"]
            self._is_unsure = False
            self.former = self._current
            self.position = data["id"]
            self.is_live = True
        return None


class SocketioSession:
    """Socket.IO 5 in packets of Engine.IO 4, in the namespace "/"."""

    def __init__(self, rooms=(), user_id=None):
        self.rooms = rooms
        self.auth = {"user_id": user_id} if user_id else {}
        self.pid = self.position = None
        self.is_connected = self.is_live = False
        self.n_incomplete = 0  # how often its session was not recovered
        self.replies = []  # packets that the connection has to send
        self.asked = Asked()

    def begin(self):
        """A connection begins."""
        self.is_connected = self.is_live = False
        self.replies = []
        self.asked.lose()

    def ask(self):
        """Sends a request, or a message."""
        ref, is_request = self.asked.next()
        arguments = ["request", "echo", ref] if is_request else ["message", {"room": "r", "data": ref}]
        self.replies.append(f"42{ref}{json.dumps(arguments)}")

    def saw(self, event_id):
        """An event with this id has arrived."""
        if not self.is_connected:
            raise ValueError("an event before the answer to CONNECT")
        self.position = event_id

    def take(self, packet):
        """Reads a packet; returns the event that it is, or None."""
        kind = packet[:2]
        if packet == "2":
            self.replies.append("3")
        elif packet.startswith("0"):
            # The offset of a client that has received no event yet is in its pid.
            recovery = {"pid": self.pid, "offset": self.position} if self.pid else {}
            auth = {name: value for name, value in {**self.auth, **recovery}.items() if value}
            self.replies.append("40" + json.dumps(auth))
        elif kind == "40":
            self._connected(json.loads(packet[2:]))
        elif kind == "42":
            name, *arguments = json.loads(packet[2:])
            if len(arguments) == 2:
                self.saw(arguments[1])
                return arguments[0]
            raise ValueError(packet)
        elif kind == "43":
            ref, _, answer = packet[2:].partition("[")
            self._answered(int(ref), *json.loads("[" + answer))
        elif kind in ("44", "41") or packet != "6":
            raise ConnectionError(packet)
        return None

    def _answered(self, ref, answer):
        if ref >= Asked.FIRST:
            self.asked.answered(ref, answer)
        elif answer["type"] == "room_joined":
            self._n_joining -= 1
            self.is_live = self._n_joining == 0
        else:
            raise ValueError(answer)

    def _connected(self, answer):
        self.is_connected = True
        if self.pid is not None and answer.get("pid") == self.pid:
            self.is_live = True
            return
        self.n_incomplete += self.pid is not None
        self.pid, self.position = answer.get("pid", ""), None
        self._n_joining = len(self.rooms)
        self.is_live = self._n_joining == 0
        self.replies += [f'42{i}["join_room",{json.dumps(room)}]' for i, room in enumerate(self.rooms)]
