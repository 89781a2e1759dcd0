// @vitest-environment jsdom
/** The dashboard's components, with the real backend. */
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Dashboard } from "../../src/components/Layout/Dashboard";
import { LiveDataProvider } from "../../src/contexts/LiveDataContext";
import { Backend } from "../../../clients/client/tests/support/backend";
import { pretendLayout, renderConnected } from "../support/dom";

let backend: Backend;

beforeAll(pretendLayout);

beforeEach(async () => {
  backend = await Backend.start();
  const realFetch = globalThis.fetch;
  // A page's requests are relative to its origin; jsdom has none.
  vi.stubGlobal("fetch", (path: string, init?: RequestInit) =>
    realFetch(new URL(path, backend.url), init),
  );
});

afterEach(async () => {
  vi.unstubAllGlobals();
  await backend.stop();
});

function renderDashboard() {
  return renderConnected(
    backend.webSocketUrl,
    <LiveDataProvider>
      <Dashboard />
    </LiveDataProvider>,
  );
}

const panel = (name: string) => within(screen.getByRole("region", { name }));

describe("the dashboard", () => {
  it("shows that it is empty, and an order as soon as there is one", async () => {
    renderDashboard();
    expect(screen.getByText("Loading orders…")).toBeDefined();
    await screen.findByText(/No orders yet/);
    await panel("Inventory").findByText("Limited edition");
    await backend.order("GADGET-1", 2);
    const row = within(await screen.findByRole("row", { name: /^#1/ }));
    expect(row.getByText("2 × Gadget")).toBeDefined();
    expect(row.getByText("$99.00")).toBeDefined();
    await panel("Inventory").findByText("49,998");
  });

  it("shows the backend's error at the field", async () => {
    const user = userEvent.setup();
    renderDashboard();
    const form = panel("New order");
    // As in a slow page, where a frame comes before the rendering of the error.
    vi.stubGlobal("requestAnimationFrame", (callback: () => void) => callback());
    const button = await form.findByRole("button", { name: "Place order" });
    await waitFor(() => expect(button).toHaveProperty("disabled", false));
    const quantity = form.getByLabelText("Quantity");
    await user.clear(quantity);
    await user.type(quantity, "0");
    await user.click(button);
    await waitFor(() => expect(quantity.getAttribute("aria-invalid")).toBe("true"));
    const described = document.getElementById(quantity.getAttribute("aria-describedby") ?? "");
    expect(described?.textContent).toContain("must be an integer from 1 to 1000000");
    expect(document.activeElement).toBe(quantity);
    await user.clear(quantity);
    await user.type(quantity, "2");
    expect(quantity.getAttribute("aria-invalid")).toBeNull();
    await user.click(button);
    await form.findByText("Order #1 was placed.");
  });

  it("changes an order's status as far as it is allowed", async () => {
    const user = userEvent.setup();
    await backend.order();
    renderDashboard();
    const row = within(await screen.findByRole("row", { name: /^#1/ }));
    expect(row.queryByRole("button", { name: "Ship order 1" })).toBeNull();
    await user.click(row.getByRole("button", { name: "Confirm order 1" }));
    await row.findByText("confirmed");
    await user.click(row.getByRole("button", { name: "Cancel order 1" }));
    await row.findByText("cancelled");
    expect(row.queryByRole("button")).toBeNull();
  });

  it("keeps the rows in place while the mouse is over them", async () => {
    const user = userEvent.setup();
    await backend.order();
    renderDashboard();
    await screen.findByRole("row", { name: /^#1/ });
    await user.hover(screen.getByRole("table"));
    await backend.order();
    await screen.findByRole("button", { name: "Show 1 new order" });
    expect(screen.queryByRole("row", { name: /^#2/ })).toBeNull();
    await user.unhover(screen.getByRole("table"));
    await screen.findByRole("row", { name: /^#2/ });
  });

  it("reports data that cannot be loaded, and keeps the old ones", async () => {
    const user = userEvent.setup();
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
    renderDashboard();
    const alert = within(await panel("Clients").findByRole("alert"));
    expect(alert.getByText(/the backend cannot be reached/)).toBeDefined();
    await panel("Online").findByText(/These figures may be out of date/);
    await user.click(panel("Orders").getByRole("button", { name: "Try again" }));
    await panel("Orders").findByRole("alert");
  });
});
