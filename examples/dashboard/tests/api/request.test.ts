/** The REST API's answers and errors, from the real backend. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import * as api from "../../src/lib/api";
import { Backend } from "../../../clients/client/tests/support/backend";

let backend: Backend;
const realFetch = globalThis.fetch;

function pointTo(url: string): void {
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) => realFetch(new URL(path, url), init));
}

beforeAll(async () => {
  backend = await Backend.start();
});
afterEach(() => vi.unstubAllGlobals());
afterAll(() => backend.stop());

it("resolves to validated values", async () => {
  pointTo(backend.url);
  const order = await api.createOrder({ client_id: 1, items: [{ sku: "WIDGET-1", quantity: 2 }] });
  expect(order).toMatchObject({ status: "pending", total_cents: 3998 });
  expect((await api.setOrderStatus(order.id, "confirmed")).status).toBe("confirmed");
  expect((await api.listOrders()).map(({ id }) => id)).toEqual([order.id]);
  expect((await api.listClients()).length).toBe(3);
  expect((await api.listInventory()).length).toBe(6);
  expect((await api.setQuantity("CABLE-1", 7)).quantity).toBe(7);
  expect((await api.getStatistics()).total_connections).toBe(0);
});

it("rejects with the backend's code, message and field", async () => {
  pointTo(backend.url);
  const draft = { client_id: 1, items: [{ sku: "LIMITED-1", quantity: 999 }] };
  await expect(api.createOrder(draft)).rejects.toMatchObject({
    name: "ApiError",
    status: 409,
    code: "insufficient_stock",
    field: "items[0].quantity",
    message: "not enough of LIMITED-1 in stock",
  });
  await expect(api.setOrderStatus(999_999, "shipped")).rejects.toMatchObject({
    status: 404,
    field: null,
  });
});

it("reads the inventory page by page", async () => {
  pointTo(backend.url);
  const whole = await api.listInventory();
  const paths: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    paths.push(path);
    const inventory = whole.splice(0, 4);
    const more = whole.length > 0 ? { next_after: "a b+c" } : {};
    return Promise.resolve(new Response(JSON.stringify({ inventory, ...more })));
  });
  expect((await api.listInventory()).length).toBe(6);
  expect(paths).toEqual(["/api/inventory", "/api/inventory?after=a%20b%2Bc"]);
});

it("reads the clients page by page", async () => {
  pointTo(backend.url);
  const whole = await api.listClients();
  const paths: string[] = [];
  vi.stubGlobal("fetch", (path: string) => {
    paths.push(path);
    const clients = whole.splice(0, 2);
    const more = whole.length > 0 ? { next_after: clients[1]?.id } : {};
    return Promise.resolve(new Response(JSON.stringify({ clients, ...more })));
  });
  expect((await api.listClients()).map(({ id }) => id)).toEqual([1, 2, 3]);
  expect(paths).toEqual(["/api/clients", "/api/clients?after=2"]);
});

it("rejects when there is no answer, or an invalid one", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  await expect(api.listOrders()).rejects.toMatchObject({ status: 0, code: "unreachable" });

  const server = createServer((request, response) => {
    response.statusCode = request.url === "/api/clients" ? 502 : 200;
    response.end("<html>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  pointTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await expect(api.listClients()).rejects.toMatchObject({ status: 502, code: "http" });
  await expect(api.listInventory()).rejects.toMatchObject({ code: "bad_answer" });
  server.closeAllConnections();
  server.close();
});
