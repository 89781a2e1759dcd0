"""The REST API: what it stores, what it refuses, and that refusals change nothing."""
import concurrent.futures
import contextlib
import json
import os
import sqlite3
import tempfile
import unittest
import urllib.parse

from backend import Backend


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.backend = Backend("--threads", "2")

    @classmethod
    def tearDownClass(cls):
        status, _ = cls.backend.stop()
        assert status == 0

    def call(self, *arguments):
        status, content, _ = self.backend.request(*arguments)
        return status, content

    def order(self, *items, client_id=1):
        return self.call("POST", "/api/orders",
                         {"client_id": client_id,
                          "items": [{"sku": sku, "quantity": n} for sku, n in items]})

    def quantity(self, sku):
        _, listing = self.call("GET", "/api/inventory")
        return next(i["quantity"] for i in listing["inventory"] if i["sku"] == sku)

    def assert_error(self, answer, status, code, field=None):
        self.assertEqual((answer[0], answer[1]["error"]["code"], answer[1]["error"]["field"]),
                         (status, code, field), answer)
        self.assertTrue(answer[1]["error"]["message"])

    def test_an_order_takes_stock_and_cancelling_returns_it(self):
        before = self.quantity("GADGET-1")
        status, order = self.order(("GADGET-1", 3))
        self.assertEqual((status, order["status"]), (201, "pending"))
        self.assertEqual(self.quantity("GADGET-1"), before - 3)
        status, changed = self.call("PATCH", f"/api/orders/{order['id']}/status", {"status": "cancelled"})
        self.assertEqual((status, changed["status"]), (200, "cancelled"))
        self.assertEqual(self.quantity("GADGET-1"), before)

    def test_lists_are_read_in_pages(self):
        for path, name, key in (("/api/inventory", "inventory", "sku"), ("/api/clients", "clients", "id")):
            _, whole = self.call("GET", path)
            self.assertEqual(list(whole), [name])
            keys, answer = [], {"next_after": ""} if key == "sku" else {"next_after": 0}
            while "next_after" in answer:
                after = urllib.parse.quote(str(answer["next_after"]))
                _, answer = self.call("GET", f"{path}?limit=2&after={after}")
                self.assertLessEqual(len(answer[name]), 2)
                keys += [row[key] for row in answer[name]]
            self.assertEqual(keys, [row[key] for row in whole[name]])
            self.assert_error(self.call("GET", f"{path}?limit=1001"), 400, "invalid_field", "limit")
            self.assert_error(self.call("GET", f"{path}?after=%00"), 400, "invalid_field", "after")

    def test_only_allowed_changes_of_a_status(self):
        _, order = self.order(("WIDGET-1", 1))
        path = f"/api/orders/{order['id']}/status"
        for status in ("shipped", "delivered", "pending"):
            self.assert_error(self.call("PATCH", path, {"status": status}), 409, "invalid_transition", "status")
        for status in ("confirmed", "shipped", "delivered"):
            self.assertEqual(self.call("PATCH", path, {"status": status})[0], 200)
        self.assert_error(self.call("PATCH", path, {"status": "cancelled"}), 409, "invalid_transition", "status")
        self.assertEqual(self.call("PATCH", path, {"status": "lost"})[0], 400)

    def test_too_little_stock_changes_nothing(self):
        widgets, gadgets = self.quantity("WIDGET-1"), self.quantity("GADGET-1")
        answer = self.order(("WIDGET-1", 1), ("GADGET-1", gadgets + 1))
        self.assertEqual((answer[0], answer[1]["error"]["code"]), (409, "insufficient_stock"))
        self.assertEqual((self.quantity("WIDGET-1"), self.quantity("GADGET-1")), (widgets, gadgets))

    def test_errors_name_the_invalid_field(self):
        for body, field in (({"client_id": 999999, "items": [{"sku": "WIDGET-1", "quantity": 1}]}, "client_id"),
                            ({"client_id": 1, "items": []}, "items"),
                            ({"client_id": 1, "items": [{"sku": "NONE", "quantity": 1}]}, "items[0].sku"),
                            ({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 0}]},
                             "items[0].quantity"),
                            ({"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1.5}]},
                             "items[0].quantity"),
                            ({"client_id": "1", "items": [{"sku": "WIDGET-1", "quantity": 1}]}, "client_id"),
                            ({"items": [{"sku": "WIDGET-1", "quantity": 1}]}, "client_id")):
            status, answer = self.call("POST", "/api/orders", body)
            self.assertEqual((status, answer["error"]["field"]), (400, field), body)
        for text in ("", "{", "[]", "nonsense", '{"client_id":1}{}', r'{"a":"\udred"}'):
            status, answer = self.call("POST", "/api/orders", text)
            self.assertEqual(status, 400, text)
            self.assertIn("code", answer["error"])

    def test_clients_are_created_changed_and_unique(self):
        status, client = self.call("POST", "/api/clients", {"name": "Zoë", "email": "zoe@example.com"})
        self.assertEqual(status, 201)
        self.assertEqual(self.call("POST", "/api/clients",
                                   {"name": "Other", "email": "zoe@example.com"})[0], 409)
        status, changed = self.call("PUT", f"/api/clients/{client['id']}",
                                    {"name": "Zoë B.", "email": "zoe@example.com"})
        self.assertEqual((status, changed["name"]), (200, "Zoë B."))
        self.assertEqual(self.call("PUT", "/api/clients/999999", {"name": "x", "email": "x@y.zz"})[0], 404)
        self.assertEqual(self.call("POST", "/api/clients", {"name": "", "email": "a@b.cc"})[0], 400)

    def test_unknown_paths_and_methods(self):
        self.assertEqual(self.call("GET", "/api/nothing")[0], 404)
        self.assertEqual(self.call("GET", "/api/orders/999999")[0], 404)
        self.assertEqual(self.call("GET", "/echo")[0], 404)
        status, _, headers = self.backend.request("DELETE", "/api/orders")
        self.assertEqual(status, 405)
        self.assertIn("POST", headers["Allow"])
        self.assertEqual(self.call("GET", "/healthz"), (200, {"status": "ok"}))
        self.assertEqual(self.call("GET", "/ws")[0], 426)

    def test_static_files_stay_within_their_folder(self):
        status, page, headers = self.backend.request("GET", "/")
        self.assertEqual((status, headers.get_content_type()), (200, "text/html"))
        self.assertIn(b"/ws", page)
        self.assertEqual((headers["Cache-Control"], headers["Vary"]), ("no-cache", "Accept-Encoding"))
        self.assertEqual(self.backend.request("GET", "/", None, {"If-None-Match": headers["ETag"]})[0], 304)
        for path in ("/../meson.build", "/%2e%2e/meson.build", "/..%2fmeson.build", "/%2e%2e%2f%2e%2e%2fetc/passwd",
                     "//etc/passwd", "/..%5cmeson.build", "/index.html%00.png"):
            self.assertIn(self.backend.request("GET", path)[0], (400, 403, 404), path)

    def test_concurrent_orders_never_oversell(self):
        sku = "CABLE-1"
        stock = 50
        self.assertEqual(self.call("PATCH", f"/api/inventory/{sku}", {"quantity": stock})[0], 200)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            results = list(pool.map(lambda _: self.order((sku, 1))[0], range(80)))
        self.assertEqual((results.count(201), results.count(409)), (stock, 30))
        self.assertEqual(self.quantity(sku), 0)


class Persistence(unittest.TestCase):
    def test_orders_outlive_a_restart(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "orders.db")
            with Backend("--db", file) as backend:
                status, order, _ = backend.request(
                    "POST", "/api/orders", {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 2}]})
                self.assertEqual(status, 201)
            with Backend("--db", file) as backend:
                status, again, _ = backend.request("GET", f"/api/orders/{order['id']}")
                self.assertEqual((status, json.dumps(again)), (200, json.dumps(order)))


    def test_a_sku_of_64_characters(self):
        sku = 64 * "\N{SNOWMAN}"
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "orders.db")
            Backend("--db", file).stop()
            with contextlib.closing(sqlite3.connect(file)) as database:
                database.execute("INSERT INTO inventory VALUES (?, 'x', 10, 0, 1, '')", (sku,))
                database.commit()
            with Backend("--db", file) as backend:
                def stock():
                    items = backend.request("GET", "/api/inventory")[1]["inventory"]
                    return next(item["quantity"] for item in items if item["sku"] == sku)

                order = {"client_id": 1, "items": [{"sku": sku, "quantity": 2}]}
                status, order, _ = backend.request("POST", "/api/orders", order)
                self.assertEqual((status, stock()), (201, 8))
                path = f"/api/orders/{order['id']}"
                change = {"items": [{"sku": sku, "quantity": 11}]}
                status, answer, _ = backend.request("PUT", path, change)
                self.assertEqual(status, 409)
                self.assertIn(sku, answer["error"]["message"])
                change = {"items": [{"sku": "WIDGET-1", "quantity": 1}]}
                self.assertEqual(backend.request("PUT", path, change)[0], 200)
                self.assertEqual(stock(), 10)
                path = f"/api/inventory/{urllib.parse.quote(sku)}"
                self.assertEqual(backend.request("PATCH", path, {"quantity": 3})[0], 200)

    def test_a_locked_database_is_reported_and_blocks_no_other_client(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "orders.db")
            order = {"client_id": 1, "items": [{"sku": "WIDGET-1", "quantity": 1}]}
            with Backend("--db", file, "--threads", "1") as backend:
                other = sqlite3.connect(file, isolation_level=None)
                other.execute("BEGIN IMMEDIATE")
                self.assertEqual(backend.request("POST", "/api/orders", order)[0], 503)
                self.assertEqual(backend.request("GET", "/healthz")[0], 200)
                other.execute("ROLLBACK")
                other.close()
                self.assertEqual(backend.request("POST", "/api/orders", order)[0], 201)


if __name__ == "__main__":
    unittest.main()
