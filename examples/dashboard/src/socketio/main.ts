/**
 * Orders with a stock client: npm's socket.io-client as it comes, without options. It begins with
 * long-polling and changes to WebSocket if it can.
 *
 * A connection that is a new one to the server loads the list anew. After one that it has recovered, the
 * client receives what it missed.
 */
import { io, type Socket } from "socket.io-client";
import type { Order } from "../lib/model";
import { createOrder, listClients, listInventory, listOrders } from "./api";
import { OrdersTable } from "./orders-table";
import "./page.css";

interface LiveEvent<Data> {
  id: string;
  data: Data;
}

interface ServerEvents {
  order_created: (event: LiveEvent<Order>) => void;
  order_updated: (event: LiveEvent<Order>) => void;
  order_status_changed: (event: LiveEvent<Order>) => void;
}

interface ClientEvents {
  join_room: (room: string) => void;
}

const parameters = new URLSearchParams(location.search);
const token = parameters.get("token");

function find<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) {
    throw new Error(`the page has no ${id}`);
  }
  return element;
}

function fieldOf(form: HTMLFormElement, name: string): HTMLSelectElement | HTMLInputElement {
  return form.elements.namedItem(name) as HTMLSelectElement | HTMLInputElement;
}

const table = new OrdersTable(find("orders", HTMLElement));
const connection = find("connection", HTMLElement);
const form = find("order-form", HTMLFormElement);
const outcome = find("outcome", HTMLElement);

function say(text: string, isBad: boolean): void {
  outcome.textContent = text;
  outcome.classList.toggle("is-bad", isBad);
}

function sayFailure(what: string): (failure: unknown) => void {
  return (failure) => say(`${what}: ${failure instanceof Error ? failure.message : String(failure)}`, true);
}

// --- the connection ---

/** `?token=` is for a backend that checks tokens, `?user_id=` for one that does not. */
const auth = Object.fromEntries(["token", "user_id"].flatMap((name) => {
  const value = parameters.get(name);
  return value === null ? [] : [[name, value]];
}));

const socket: Socket<ServerEvents, ClientEvents> = io({ auth });

function showStatus(status: "connecting" | "connected" | "refused", text: string): void {
  connection.dataset.status = status;
  connection.textContent = text;
}

function showTransport(): void {
  showStatus("connected", `Connected by ${socket.io.engine.transport.name}`);
}

socket.on("connect", () => {
  showTransport();
  socket.io.engine.once("upgrade", showTransport);
  socket.emit("join_room", "orders"); // where the events go with --topic-rooms
  if (!socket.recovered) {
    table.load(listOrders(token)).catch(sayFailure("The orders cannot be loaded"));
  }
});

socket.on("disconnect", () => showStatus("connecting", "Reconnecting"));

socket.on("connect_error", (error) => {
  // A refused client is not accepted later; after other errors the client tries again.
  if (socket.active) {
    showStatus("connecting", "Reconnecting");
  } else {
    showStatus("refused", `Refused: ${error.message}`);
  }
});

socket.on("order_created", ({ data }) => table.put(data));
socket.on("order_updated", ({ data }) => table.put(data));
socket.on("order_status_changed", ({ data }) => table.put(data));

// --- the form ---

async function fill(name: string, options: Promise<[text: string, value: string][]>): Promise<void> {
  const select = fieldOf(form, name);
  select.replaceChildren(...(await options).map(([text, value]) => new Option(text, value)));
}

const people = listClients(token).then((clients) => clients.map(({ id, name }): [string, string] => [name, String(id)]));
const products = listInventory(token).then((items) => items.map(({ sku, name }): [string, string] => [name, sku]));

Promise.all([fill("client", people), fill("sku", products)]).catch(sayFailure("The form cannot be filled"));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  createOrder(token, {
    client_id: Number(fieldOf(form, "client").value),
    items: [{ sku: fieldOf(form, "sku").value, quantity: Number(fieldOf(form, "quantity").value) }],
  }).then((order) => {
    table.put(order); // its event may be late
    say(`Order #${order.id} was placed.`, false);
  }, sayFailure("Not ordered"));
});
