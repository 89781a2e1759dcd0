// @vitest-environment jsdom
/** The indicator's text in each state. */
import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { ConnectionStatus } from "@ws-manager/react";
import { Backend } from "../../client/tests/support/backend";
import { createSignals, whenState } from "../../client/tests/support/states";
import { renderConnected } from "./support/dom";
import { StubServer } from "../../client/tests/support/stub-server";

const FOREVER_MS = 2 ** 31 - 1;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function startBackend() {
  const backend = await Backend.start();
  cleanups.push(() => backend.stop());
  return backend;
}

const status = () => screen.getByRole("status").textContent;

describe("the connection's status", () => {
  it("is connecting, then connected", async () => {
    const backend = await startBackend();
    const { client } = renderConnected(backend.webSocketUrl, <ConnectionStatus />);
    expect(status()).toBe("Connecting");
    await act(() => whenState(client, "connected"));
    expect(status()).toBe("Connected");
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("is reconnecting, shows the attempt and the seconds, and can retry at once", async () => {
    const backend = await startBackend();
    const { client } = renderConnected(backend.webSocketUrl, <ConnectionStatus />, {
      firstDelayMs: 90_000,
      longestDelayMs: 90_000,
      random: () => 1,
    });
    await act(() => whenState(client, "connected"));
    await backend.stop("SIGKILL");
    await act(() => whenState(client, "reconnecting"));
    expect(status()).toBe("Reconnectingattempt 1");
    expect(screen.getByText(/next attempt in (90|8\d) s/)).toBeDefined();

    const second = await Backend.start({ port: backend.port });
    cleanups.push(() => second.stop());
    await userEvent.click(screen.getByRole("button", { name: "Try now" }));
    await act(() => whenState(client, "connected"));
    expect(status()).toBe("Connected");
  });

  it("is offline when there is no network", async () => {
    const backend = await startBackend();
    const signals = createSignals();
    const { client } = renderConnected(backend.webSocketUrl, <ConnectionStatus />, {
      signals,
      firstDelayMs: FOREVER_MS,
      longestDelayMs: FOREVER_MS,
      random: () => 1,
    });
    await act(() => whenState(client, "connected"));
    signals.online = false;
    await backend.stop("SIGKILL");
    await act(() => whenState(client, "offline"));
    expect(status()).toBe("Offlineno network");
  });

  it("is refused, and shows the reason", async () => {
    const stub = await StubServer.start({
      onConnection: (socket) => socket.close(4403, "not on the list"),
    });
    cleanups.push(() => stub.stop());
    const { client } = renderConnected(stub.url, <ConnectionStatus />);
    await act(() => whenState(client, "refused"));
    expect(status()).toBe("Refusednot on the list (4403)");
    expect(screen.getByRole("button", { name: "Try now" })).toBeDefined();
  });
});

describe("the look of the connection's status", () => {
  const parts = (container: HTMLElement) => Array.from(container.querySelectorAll<HTMLElement>("[class^=ws-manager]"));

  it("needs no stylesheet, and can be changed", async () => {
    const stub = await StubServer.start();
    cleanups.push(() => stub.stop());
    const { client, container, show } = renderConnected(
      stub.url,
      <ConnectionStatus className="mine" style={{ gap: "2em" }} />,
    );
    await act(() => whenState(client, "connected"));
    const [root, , icon] = parts(container);
    expect(root?.className).toBe("ws-manager-connection mine");
    expect([root?.style.display, root?.style.gap]).toEqual(["inline-flex", "2em"]);
    expect(icon?.style.color).toBe("var(--ws-manager-good, #17854a)");
    // Without a size an SVG fills the window.
    expect([icon?.getAttribute("width"), icon?.getAttribute("height")]).toEqual(["1em", "1em"]);

    show(<ConnectionStatus unstyled />);
    expect(parts(container).map((part) => part.getAttribute("style") ?? "")).toEqual(["", "", ""]);
    expect(parts(container)[0]?.className).toBe("ws-manager-connection");
  });
});
