"use strict";

const SHOWN_EVENTS = 100;
const LONGEST_DELAY_MS = 15000;
const ROOMS = ["orders", "inventory", "clients"]; // events go there with --topic-rooms

const state = document.getElementById("state");
const events = document.getElementById("events");
const form = document.getElementById("order");
const answer = document.getElementById("answer");

function showState(name) {
  state.dataset.state = name;
  state.textContent = name;
}

function showEvent(event) {
  const time = event.timestamp ? new Date(event.timestamp) : new Date();
  const item = document.createElement("li");
  const parts = [
    ["span", time.toLocaleTimeString()],
    ["strong", event.type],
    ["code", JSON.stringify(event.data ?? null)],
  ];
  for (const [tag, text] of parts) {
    const element = document.createElement(tag);
    element.textContent = text;
    item.append(element);
  }
  events.prepend(item);
  while (events.children.length > SHOWN_EVENTS) {
    events.lastChild.remove();
  }
}

function connect(failures) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws`);

  showState("connecting");
  socket.onopen = () => {
    failures = 0;
    showState("open");
    for (const room of ROOMS) {
      socket.send(JSON.stringify({ type: "join_room", room }));
    }
  };
  socket.onmessage = (message) => showEvent(JSON.parse(message.data));
  socket.onclose = () => {
    const delay = Math.min(LONGEST_DELAY_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
    showState("closed");
    setTimeout(connect, delay, failures + 1);
  };
}

async function fill(select, url, toOption) {
  const response = await fetch(url);
  const body = await response.json();
  const list = Object.values(body)[0];
  select.replaceChildren(...list.map((entry) => new Option(...toOption(entry))));
}

form.onsubmit = async (event) => {
  event.preventDefault();
  const fields = form.elements;
  try {
    const response = await fetch("/api/orders", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        client_id: Number(fields.client.value),
        items: [{ sku: fields.sku.value, quantity: Number(fields.quantity.value) }],
      }),
    });
    const body = await response.json();
    answer.textContent = response.ok
      ? `Order ${body.id}: ${(body.total_cents / 100).toFixed(2)}`
      : `Not ordered: ${body.error.message}`;
  } catch {
    answer.textContent = "Not ordered: the server can't be reached";
  }
};

function showUnreachable() {
  answer.textContent = "The clients and products can't be read";
}

fill(form.elements.client, "/api/clients", (client) => [client.name, client.id])
  .catch(showUnreachable);
fill(form.elements.sku, "/api/inventory", (item) => [`${item.name} (${item.sku})`, item.sku])
  .catch(showUnreachable);
connect(0);
