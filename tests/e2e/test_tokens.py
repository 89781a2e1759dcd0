"""Tokens: who may connect, as which user, for how long, and which rooms they may join."""
import asyncio
import json
import subprocess
import tempfile
import unittest
import urllib.parse

from backend import BACKEND, START_SECONDS
from client import BackendCase, receive, receive_type, request, with_headers
from hosts import HANDSHAKE
from test_process import exchange
from tokens import SECRET, make_pair, signed_token, token, unsigned

ORIGIN = "http://127.0.0.1:{}"
NOTIFICATION = {"message": "hello", "severity": "info"}
SHORT_SECONDS = 5


class TokenCase(BackendCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.secret_file = self.write("secret", SECRET)

    def write(self, name, data):
        path = f"{self.folder}/{name}"
        with open(path, "wb") as file:
            file.write(data)
        return path

    def start(self, *arguments, **options):
        return super().start("--jwt-secret-file", self.secret_file, *arguments, **options)

    async def join(self, client, room):
        return await request(client, {"type": "join_room", "room": room, "ref": room})


class Handshakes(TokenCase):
    async def test_the_token_names_the_user(self):
        backend = self.start()
        for path, options in (
                ("/ws?token=" + token(), {}),
                ("/ws?user_id=bob&token=" + token(), {}),
                ("/ws", with_headers(Authorization="Bearer " + token())),
                ("/ws", {"subprotocols": ["bearer", token()]}),
                ("/ws?token=" + (same := token()), with_headers(Authorization="Bearer " + same))):
            client, welcome = await self.connect(backend, path, **options)
            self.assertEqual(welcome["data"]["user_id"], "ana")
            self.assertEqual(client.subprotocol, "bearer" if "subprotocols" in options else None)

    async def test_invalid_tokens_are_refused_with_401(self):
        backend = self.start("--echo")
        for path, options in (
                ("/ws", {}),
                ("/echo", {}),
                ("/ws?user_id=ana", {}),
                ("/ws?token=", {}),
                ("/ws?token=abc", {}),
                ("/ws?token=" + token(seconds=-60), {}),
                ("/ws?token=" + token(nbf=4000000000), {}),
                ("/ws?token=" + token(secret=b"another secret of more than 32 bytes"), {}),
                ("/ws?token=" + token(user=""), {}),
                ("/ws?token=" + token(user="a\nb"), {}),
                ("/ws?token=" + token(user="x" * 129), {}),
                ("/ws?token=" + unsigned("none", {"sub": "ana", "exp": 4000000000}) + ".", {}),
                ("/ws?token=" + token("bob"), with_headers(Authorization="Bearer " + token())),
                (f"/ws?token={token('bob')}&token={token()}", {}),
                ("/ws", {"subprotocols": ["bearer", token(seconds=-60)]})):
            self.assertEqual(await self.refused(backend, path, **options), 401, (path, options))
        self.assertEqual(await self.refused(backend, "/ws?token=" + "a" * 9000), 401)

    async def test_a_browser_is_closed_with_4401(self):
        backend = self.start()
        for path, options in (("/ws", {}), ("/ws", {"subprotocols": ["bearer", "abc"]})):
            client = await self.open(backend, path, origin=ORIGIN.format(backend.port), **options)
            code, _ = await self.closed(client)
            self.assertEqual(code, 4401)
            # A browser fails the connection if the server ignores its subprotocols.
            self.assertEqual(client.subprotocol, "bearer" if options else None)

    async def test_the_audience_must_match(self):
        backend = self.start("--jwt-audience", "orders")
        for audience, status in (("orders", None), (["x", "orders"], None), ("x", 401), ([], 401)):
            path = "/ws?token=" + token(aud=audience)
            if status is None:
                await self.connect(backend, path)
            else:
                self.assertEqual(await self.refused(backend, path), status)
        self.assertEqual(await self.refused(backend, "/ws?token=" + token()), 401)

    async def test_an_audience_is_refused_if_none_is_configured(self):
        backend = self.start()
        for audience in ("orders", ["x", "orders"], [], None):
            path = "/ws?token=" + token(aud=audience)
            self.assertEqual(await self.refused(backend, path), 401, audience)

    async def test_the_echo_needs_a_token_too(self):
        backend = self.start("--echo")
        client = await self.open(backend, "/echo?token=" + token())
        await client.send("hello")
        self.assertEqual(await client.recv(), "hello")

    async def test_tokens_signed_with_a_key_pair(self):
        for algorithm, other in (("RS256", "ES256"), ("ES256", "RS256")):
            private, public = make_pair(self.folder, algorithm)
            other_private, _ = make_pair(self.folder, other)
            with open(public, "rb") as file:
                public_as_secret = file.read()
            backend = BackendCase.start(self, "--jwt-public-key", public)
            _, welcome = await self.connect(backend,
                                            "/ws?token=" + signed_token(private, algorithm))
            self.assertEqual(welcome["data"]["user_id"], "ana")
            for bad in (signed_token(other_private, other), token(secret=public_as_secret),
                        signed_token(private, algorithm, exp=1),
                        unsigned("none", {"sub": "ana", "exp": 4000000000}) + "."):
                self.assertEqual(await self.refused(backend, "/ws?token=" + bad), 401)

    async def test_no_token_is_in_the_log(self):
        with tempfile.TemporaryFile() as log:
            backend = self.start("--log-level", "debug", stderr=log)
            good, bad = token(), token(secret=b"another secret of more than 32 bytes")
            client, _ = await self.connect(backend, "/ws?token=" + good)
            await request(client, {"type": "authenticate", "token": bad, "ref": 1})
            await self.refused(backend, "/ws?token=" + bad)
            await self.refused(backend, subprotocols=["bearer", bad])
            await self.call(backend, "GET", "/api/orders?token=" + good)
            await self.call(backend, "GET", "/api/orders?token=" + bad)
            await client.close()
            await asyncio.to_thread(backend.stop)
            log.seek(0)
            text = log.read().decode()
        self.assertIn("/api/orders", text)
        for part in (*good.split("."), *bad.split(".")):
            self.assertNotIn(part, text)


class Ends(TokenCase):
    """A short-lived token lasts as long as a slow machine needs to connect."""

    async def test_a_connection_ends_with_its_token(self):
        backend = self.start("--echo", "--threads", "1")
        first, _ = await self.connect(backend, "/ws?token=" + token(seconds=SHORT_SECONDS))
        echo = await self.open(backend, "/echo?token=" + token(seconds=SHORT_SECONDS))
        later, _ = await self.connect(backend, "/ws?token=" + token(seconds=100 * 365 * 86400))
        forever, _ = await self.connect(backend, "/ws?token=" + token(exp=9223372036854775807))
        self.assertEqual(await self.closed(first), (4401, "token expired"))
        self.assertEqual(await self.closed(echo), (4401, "token expired"))
        for client in (later, forever):
            self.assertEqual((await request(client, {"type": "ping", "ref": 1}))["type"], "pong")

    async def test_a_renewed_token_keeps_the_connection(self):
        backend = self.start("--threads", "1")
        client, _ = await self.connect(backend, "/ws?token=" + token(seconds=SHORT_SECONDS))
        short, _ = await self.connect(backend, "/ws?token=" + token(seconds=SHORT_SECONDS))
        answer = await request(client, {"type": "authenticate", "token": token(), "ref": 1})
        self.assertEqual(answer["type"], "authenticated")
        self.assertEqual((await self.closed(short))[0], 4401)
        self.assertEqual((await request(client, {"type": "ping", "ref": 2}))["type"], "pong")

        answer = await request(client, {"type": "authenticate", "token": token(seconds=SHORT_SECONDS), "ref": 3})
        self.assertEqual(answer["type"], "authenticated")
        self.assertEqual(await self.closed(client), (4401, "token expired"))

    async def test_only_a_valid_token_of_the_same_user_renews(self):
        backend = self.start()
        client, _ = await self.connect(backend, "/ws?token=" + token(seconds=SHORT_SECONDS))
        for bad in (token("bob"), token(seconds=-60), "abc",
                    token(secret=b"another secret of more than 32 bytes")):
            answer = await request(client, {"type": "authenticate", "token": bad, "ref": 1})
            self.assertEqual(answer["data"]["code"], "forbidden")
        self.assertEqual((await self.closed(client))[0], 4401)

    async def test_without_tokens_there_is_nothing_to_renew(self):
        backend = BackendCase.start(self)
        client, _ = await self.connect(backend)
        answer = await request(client, {"type": "authenticate", "token": token(), "ref": 1})
        self.assertEqual(answer["data"]["code"], "unknown_type")

    async def test_many_clients_connect_renew_and_disconnect(self):
        backend = self.start("--threads", "1", "--no-presence")
        for _ in range(3):
            clients = [(await self.connect(backend, "/ws?token=" + token(seconds=60 + i)))[0]
                       for i in range(50)]
            for client in clients[::3]:
                await request(client, {"type": "authenticate", "token": token(seconds=9), "ref": 1})
            await asyncio.gather(*(client.close() for client in clients))
        self.assertEqual((await asyncio.to_thread(backend.stop))[0], 0)


class Names(TokenCase):
    """One rule for names, wherever a name comes from."""

    GOOD = ("ana", " ", "Jérôme", "x" * 128, "\u00a0", "\u200f\u05d0", "\U0001f69a")
    BAD = ("a\nb", "\x7f", "\x80", "a\x9b31m", "\u2028", "\u202egpj.exe", "a\u2066", "é" * 65)

    async def kind_of_names(self, names, is_good):
        by_token = self.start()
        by_query = BackendCase.start(self)
        for name in names:
            query = "/ws?user_id=" + urllib.parse.quote(name)
            headers = {"Authorization": "Bearer " + token(name)}
            status, _, _ = await self.call(by_token, "GET", "/api/orders", None, headers)
            self.assertEqual(status, 200 if is_good else 401, name)
            status, _, _ = await self.call(by_query, "POST", "/api/notifications",
                                           {**NOTIFICATION, "user_id": name})
            self.assertEqual(status, 202 if is_good else 400, name)
            if is_good:
                for backend, path in ((by_token, "/ws?token=" + token(name)), (by_query, query)):
                    client, welcome = await self.connect(backend, path)
                    self.assertEqual(welcome["data"]["user_id"], name)
                    answer = await self.join(client, name)
                    self.assertEqual(answer["type"], "room_joined", name)
            else:
                self.assertEqual(await self.refused(by_token, "/ws?token=" + token(name)), 401)
                self.assertEqual(await self.refused(by_query, query), 400)
                client, _ = await self.connect(by_query)
                answer = await request(client, {"type": "join_room", "room": name, "ref": 1})
                self.assertEqual(answer["data"]["code"], "bad_request", name)

    async def test_valid_names_are_accepted_everywhere(self):
        await self.kind_of_names(self.GOOD, True)

    async def test_invalid_names_are_refused_everywhere(self):
        await self.kind_of_names(self.BAD, False)


class Rooms(TokenCase):
    async def test_a_user_s_room_is_only_for_the_user(self):
        for backend, path in ((self.start(), "/ws?token=" + token()),
                              (BackendCase.start(self), "/ws?user_id=ana")):
            client, _ = await self.connect(backend, path)
            for room, kind in (("user:ana", "room_joined"), ("orders", "room_joined"),
                               ("user", "room_joined"), ("staff", "room_joined"),
                               ("user:", "error"), ("user:bob", "error"), ("user:an", "error"),
                               ("user:ana2", "error"), ("user:Ana", "error"), ("staff:x", "error"),
                               ("staff:", "error")):
                answer = await self.join(client, room)
                self.assertEqual(answer["type"], kind, room)
                if kind == "error":
                    self.assertEqual(answer["data"]["code"], "forbidden")

    async def test_anonymous_clients_have_no_user_room(self):
        client, _ = await self.connect(BackendCase.start(self))
        self.assertEqual((await self.join(client, "user:ana"))["data"]["code"], "forbidden")
        self.assertEqual((await self.join(client, "user:"))["data"]["code"], "forbidden")

    async def test_staff_rooms_are_only_for_staff(self):
        backend = self.start()
        for claims, kind in (({"role": "staff"}, "room_joined"),
                             ({"roles": ["x", "staff"]}, "room_joined"),
                             ({"roles": "staff"}, "error"), ({"role": "user"}, "error")):
            client, _ = await self.connect(backend, "/ws?token=" + token(**claims))
            self.assertEqual((await self.join(client, "staff:kitchen"))["type"], kind, claims)

    async def test_a_renewed_token_may_grant_more(self):
        client, _ = await self.connect(self.start(), "/ws?token=" + token())
        self.assertEqual((await self.join(client, "staff:x"))["type"], "error")
        await request(client, {"type": "authenticate", "token": token(role="staff"), "ref": 1})
        self.assertEqual((await self.join(client, "staff:x"))["type"], "room_joined")

    async def test_a_renewed_token_may_grant_less(self):
        backend = self.start("--relay")
        staff = token(role="staff")
        client, _ = await self.connect(backend, "/ws?token=" + staff)
        other, _ = await self.connect(backend, "/ws?token=" + token("bob", role="staff"))
        for room in ("staff:a", "staff:b", "orders", "user:ana"):
            await self.join(client, room)
        await self.join(other, "staff:a")
        answer = await request(client, {"type": "authenticate", "token": staff, "ref": 1})
        self.assertEqual(answer["type"], "authenticated")

        await client.send(json.dumps({"type": "authenticate", "token": token(), "ref": 2}))
        answers = [await receive_type(client, "authenticated", "room_left") for _ in range(3)]
        left = {answer["data"]["room"] for answer in answers if answer["type"] == "room_left"}
        self.assertEqual(left, {"staff:a", "staff:b"})
        self.assertTrue(all("id" in answer["data"] for answer in answers), answers)
        status, stats, _ = await self.call(backend, "GET", f"/ws/stats?token={staff}")
        self.assertEqual((status, stats["rooms"]),
                         (200, {"staff:a": 1, "orders": 1, "user:ana": 1}))
        await other.send('{"type":"message","room":"staff:a","data":1}')
        await receive_type(other, "message")
        # If a second message had been sent, it would have come before this answer.
        await client.send('{"type":"join_room","room":"staff:a"}')
        answer = await receive_type(client, "message", "error")
        self.assertEqual(answer["data"].get("code"), "forbidden")

    async def test_messages_need_membership(self):
        backend = self.start("--relay")
        ana, _ = await self.connect(backend, "/ws?token=" + token())
        bob, _ = await self.connect(backend, "/ws?token=" + token("bob"))
        answer = await request(bob, {"type": "message", "room": "user:ana", "data": 1, "ref": 1})
        self.assertEqual(answer["data"]["code"], "not_member")
        await self.join(ana, "user:ana")
        await ana.send('{"type":"message","room":"user:ana","data":2}')
        message = await receive_type(ana, "message")
        self.assertEqual((message["data"], message["user_id"]), (2, "ana"))


class Requests(TokenCase):
    async def test_the_api_needs_the_same_token(self):
        backend = self.start()
        bearer = {"Authorization": "Bearer " + token()}
        for path in ("/api/orders", "/api/clients", "/api/orders/1", "/api/nothing", "/metrics"):
            status, answer, headers = await self.call(backend, "GET", path)
            self.assertEqual((status, headers["WWW-Authenticate"]), (401, "Bearer"), path)
            self.assertEqual(answer["error"]["code"], "unauthorized")
            status, _, headers = await self.call(backend, "GET", path + "?token=abc")
            self.assertEqual(status, 401)
            self.assertEqual(headers["WWW-Authenticate"], 'Bearer error="invalid_token"')
            expected = 404 if path in ("/api/orders/1", "/api/nothing") else 200
            status, _, _ = await self.call(backend, "GET", path, headers=bearer)
            self.assertEqual(status, expected, path)
            status, _, _ = await self.call(backend, "GET", f"{path}?token={token()}")
            self.assertEqual(status, expected, path)
        status, _, _ = await self.call(backend, "POST", "/api/notifications", NOTIFICATION)
        self.assertEqual(status, 401)
        status, _, _ = await self.call(backend, "POST", "/api/notifications", NOTIFICATION, bearer)
        self.assertEqual(status, 202)
        status, _, _ = await self.call(backend, "GET", f"/api/orders?token={token('bob')}", None,
                                       bearer)
        self.assertEqual(status, 401)

    async def test_two_authorization_headers_must_be_the_same(self):
        backend = self.start()
        ana, bob, basic = "Bearer " + token(), "Bearer " + token("bob"), "Basic eDp5"
        get = b"GET /api/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        close = b"\x88\x82\0\0\0\0\x03\xe8"
        for first, second in ((ana, ana), (ana, bob), (ana, basic), (basic, ana)):
            both = f"\r\nAuthorization: {first}\r\nAuthorization: {second}\r\n\r\n".encode()
            for head, rest, accepted in ((get, b"", b"200"), (HANDSHAKE, close, b"101")):
                answer = exchange(backend.port, head.replace(b"\r\n\r\n", both) + rest)
                status = accepted if first == second else b"401"
                self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (head, both, answer))

    async def test_only_staff_see_the_names_of_rooms_and_users(self):
        backend = self.start()
        client, _ = await self.connect(backend, "/ws?token=" + token("bob", role="staff"))
        for room in ("user:bob", "staff:kitchen"):
            await self.join(client, room)
        self.assertEqual((await self.call(backend, "GET", "/ws/stats"))[0], 401)
        status, answer, _ = await self.call(backend, "GET", "/ws/stats?token=" + token())
        self.assertEqual((status, answer["error"]["code"]), (403, "forbidden"))
        status, answer, _ = await self.call(backend, "GET", "/ws/stats?token=" + token(role="staff"))
        self.assertEqual((status, answer["rooms"]), (200, {"user:bob": 1, "staff:kitchen": 1}))
        _, text, _ = await self.call(backend, "GET", "/metrics?token=" + token())
        self.assertNotIn(b"bob", text)
        self.assertNotIn(b"kitchen", text)

    async def test_no_answer_reveals_whether_a_room_exists(self):
        backend = self.start("--relay", "--no-presence")
        bob, _ = await self.connect(backend, "/ws?token=" + token("bob", role="staff"))
        ana, _ = await self.connect(backend, "/ws?token=" + token())
        for room in ("user:bob", "staff:kitchen", "open"):
            self.assertEqual((await self.join(bob, room))["type"], "room_joined")
        for kind, there, nowhere in (("join_room", "user:bob", "user:eve"),
                                     ("join_room", "staff:kitchen", "staff:none"),
                                     ("leave_room", "staff:kitchen", "staff:none"),
                                     ("message", "staff:kitchen", "staff:none"),
                                     ("leave_room", "open", "none"), ("message", "open", "none")):
            answers = [await request(ana, {"type": kind, "room": room, "data": 1, "ref": 1})
                       for room in (there, nowhere)]
            self.assertEqual(answers[0], answers[1])
            self.assertEqual(answers[0]["type"], "error")
        await bob.send('{"type":"leave_room","room":"open"}')
        await receive_type(bob, "room_left")
        await ana.send('{"type":"ping"}')
        self.assertEqual((await receive(ana))["type"], "pong")  # nothing from bob before it

    async def test_pages_without_a_token(self):
        backend = self.start()
        for path in ("/", "/healthz"):
            self.assertEqual((await self.call(backend, "GET", path))[0], 200)
        self.assertEqual((await self.call(backend, "GET", "/nothing"))[0], 404)


class CommandLine(TokenCase):
    def refused_start(self, *arguments):
        ended = subprocess.run([BACKEND, "--db", ":memory:", "--listen", "127.0.0.1:0", *arguments],
                               capture_output=True, timeout=START_SECONDS)
        self.assertEqual((ended.returncode, ended.stdout), (2, b""), arguments)
        lines = ended.stderr.decode().splitlines()
        self.assertEqual(len(lines), 1, lines)
        return lines[0]

    def test_invalid_keys_are_refused_with_one_line(self):
        short = self.write("short", b"x" * 31)
        private, public = make_pair(self.folder, "ES256")
        for arguments, words in (
                (("--jwt-secret-file", short), "the secret must have at least 32 bytes"),
                (("--jwt-secret-file", self.folder), "directory"),
                (("--jwt-secret-file", "/nonexistent"), "No such file"),
                (("--jwt-public-key", self.secret_file), "no public key"),
                (("--jwt-public-key", private), "no public key"),
                (("--jwt-secret-file", self.secret_file, "--jwt-public-key", public), "exclude"),
                (("--jwt-audience", "orders"), "--jwt-audience needs")):
            self.assertIn(words, self.refused_start(*arguments))


if __name__ == "__main__":
    unittest.main()
