// @vitest-environment jsdom
/** The page is never blank: failures of its parts, of its data and of the browser. */
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { Dashboard } from "../../src/components/Layout/Dashboard";
import { ThemeToggle } from "../../src/components/Layout/ThemeToggle";
import { LiveDataProvider } from "../../src/contexts/LiveDataContext";
import { formatDayAndTime, formatTime } from "../../src/lib/format";
import { pretendLayout, renderConnected } from "../support/dom";
import { send, StubServer } from "../../../clients/client/tests/support/stub-server";

const failing = vi.hoisted(() => ({ isOn: true }));

vi.mock("../../src/components/Summary/Summary", () => ({
  Summary: () => {
    if (failing.isOn) throw new Error("cannot divide");
    return <p>the summary</p>;
  },
}));

beforeAll(pretendLayout);
afterEach(() => vi.unstubAllGlobals());

it("shows a part that fails as failed, and the others as they are", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  const stub = await StubServer.start();
  renderConnected(stub.url, <LiveDataProvider><Dashboard /></LiveDataProvider>);
  const failed = within(screen.getByRole("region", { name: "Summary" }));
  expect(failed.getByRole("alert").textContent).toContain("cannot divide");
  expect(screen.getAllByRole("region").length).toBeGreaterThan(6);
  failing.isOn = false;
  await userEvent.click(failed.getByRole("button", { name: "Try again" }));
  await screen.findByText("the summary");
  expect(logged).toHaveBeenCalled();
  await stub.stop();
});

it("shows a dash for a time that is none, also in an event", async () => {
  expect(formatTime("yesterday")).toBe("—");
  expect(formatTime(Number.NaN)).toBe("—");
  expect(formatDayAndTime("")).toBe("—");
  failing.isOn = false;
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  const stub = await StubServer.start({
    onMessage: ({ socket, message }) => {
      if (message.room === "orders") {
        const data = { message: "it is time", severity: "info" };
        send(socket, { type: "notification", timestamp: "0000-99-99", data });
      }
    },
  });
  renderConnected(stub.url, <LiveDataProvider><Dashboard /></LiveDataProvider>);
  const entry = (await screen.findByText("info: it is time")).closest("li");
  expect(entry?.querySelector("time")?.textContent).toBe("—");
  await stub.stop();
});

it("changes the theme where the browser keeps nothing", async () => {
  const forbidden = () => {
    throw new DOMException("the storage is blocked", "SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: forbidden, setItem: forbidden });
  render(<ThemeToggle />);
  await userEvent.click(screen.getByRole("button", { name: /Change to light/ }));
  await screen.findByRole("button", { name: /Colours: light/ });
  expect(document.documentElement.dataset.theme).toBe("light");
});
