// @vitest-environment jsdom
/** Toasts by severity, each shown once. */
import { act, screen, waitFor } from "@testing-library/react";
import { toast } from "sonner";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import type { AnyEvent } from "@ws-manager/client";
import {
  NotificationToast,
  notificationToast,
  showToast,
  type RegisteredEvents,
  type Toast,
} from "@ws-manager/react";
import { Backend } from "../../client/tests/support/backend";
import { whenState } from "../../client/tests/support/states";
import { nextEvent, renderConnected } from "./support/dom";
import { notification, send, StubServer, welcome } from "../../client/tests/support/stub-server";

const cleanups: (() => unknown)[] = [];

beforeAll(() => {
  // sonner calls matchMedia(), which jsdom lacks.
  vi.stubGlobal("matchMedia", () => ({
    matches: false,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
});

afterEach(async () => {
  toast.dismiss();
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function findToast(text: string): Promise<HTMLElement> {
  const content = await screen.findByText(text);
  const element = content.closest<HTMLElement>("[data-sonner-toast]");
  if (element === null) {
    throw new Error(`"${text}" is not in a toast`);
  }
  return element;
}

it("shows each severity, each with its colour", async () => {
  const backend = await Backend.start();
  cleanups.push(() => backend.stop());
  const { client } = renderConnected(backend.webSocketUrl, <NotificationToast />);
  await act(() => whenState(client, "connected"));
  for (const severity of ["info", "success", "warning", "error"]) {
    await act(() => backend.notify(`it is ${severity}`, severity));
    const shown = await findToast(`it is ${severity}`);
    expect(shown.dataset.type).toBe(severity);
    expect(shown.getAttribute("style")).toMatch(/border-inline-start: 4px solid var\(--ws-manager-\w+, #\w+\)/);
  }
});

it("shows the events that the application asks for, and its own toasts", async () => {
  const backend = await Backend.start();
  cleanups.push(() => backend.stop());
  const toToast = (event: AnyEvent<RegisteredEvents>): Toast | null =>
    event.type === "stock_low"
      ? { severity: "warning", message: `${event.data.name}: ${event.data.quantity}`, id: event.data.sku }
      : null;
  const { client } = renderConnected(backend.webSocketUrl, <NotificationToast toToast={toToast} />);
  await act(() => whenState(client, "connected"));
  await act(() => backend.notify("not asked for"));
  await act(() => backend.order("LIMITED-1", 8));
  expect((await findToast("Limited edition: 2")).dataset.type).toBe("warning");
  act(() => showToast({ severity: "success", message: "saved" }));
  expect((await findToast("saved")).dataset.type).toBe("success");
  expect(screen.queryByText("not asked for")).toBeNull();
});

it("takes notifications for which there is no schema as they are", () => {
  expect(notificationToast({ type: "notification", data: { message: "m", severity: "error" } })).toEqual({
    severity: "error",
    message: "m",
  });
  for (const data of [null, "text", {}, { message: "m" }, { message: "m", severity: "loud" }, { message: 1, severity: "info" }]) {
    expect(notificationToast({ type: "notification", data })).toBeNull();
  }
  expect(notificationToast({ type: "message", data: { message: "m", severity: "error" } })).toBeNull();
});

it("does not show an event again that arrives again after a reconnect", async () => {
  const stub = await StubServer.start({
    onConnection: (socket, _url, count) => {
      welcome(socket);
      send(socket, notification("e.1", "only once"));
      send(socket, notification(`e.${count + 1}`, `connection ${count}`));
    },
  });
  cleanups.push(() => stub.stop());
  const { client } = renderConnected(stub.url, <NotificationToast />);
  await findToast("connection 1");
  toast.dismiss();
  await waitFor(() => expect(screen.queryByText("only once")).toBeNull());
  const second = nextEvent(client, "notification");
  act(() => stub.sockets.forEach((socket) => socket.terminate()));
  await act(() => second);
  await findToast("connection 2");
  expect(screen.queryByText("only once")).toBeNull();
});

it("counts the toasts that are too many to show", async () => {
  const stub = await StubServer.start();
  cleanups.push(() => stub.stop());
  const { client } = renderConnected(stub.url, <NotificationToast />);
  await act(() => whenState(client, "connected"));
  for (let i = 1; i <= 50; i++) {
    stub.sockets.forEach((socket) => send(socket, notification(`e.${i}`, `number ${i}`)));
  }
  await findToast("44 more notifications");
  expect(screen.queryByText("number 50")).toBeNull();
  // An error is not among those that are withheld, nor below them.
  const error = { ...notification("e.51", "it burns"), data: { message: "it burns", severity: "error" } };
  stub.sockets.forEach((socket) => send(socket, error));
  const shown = await findToast("it burns");
  expect(shown.dataset.visible).toBe("true");
  expect(shown.closest("[data-sonner-toaster]")).not.toBe(
    (await findToast("44 more notifications")).closest("[data-sonner-toaster]"),
  );
});

it("does not show what a room kept", async () => {
  const stub = await StubServer.start();
  cleanups.push(() => stub.stop());
  const { client } = renderConnected(stub.url, <NotificationToast />);
  await act(() => whenState(client, "connected"));
  stub.sockets.forEach((socket) => {
    send(socket, { ...notification("e.1", "old"), state: true });
    send(socket, notification("e.2", "new"));
  });
  await findToast("new");
  expect(screen.queryByText("old")).toBeNull();
});
