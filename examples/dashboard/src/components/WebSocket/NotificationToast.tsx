/**
 * Notifications and low stock as toasts. The client delivers each event once, so nothing is shown
 * again after a reconnect. Warnings and errors have a place and a limit of their own: a flood of
 * news neither covers nor withholds them.
 */
import { useState, type CSSProperties } from "react";
import { Toaster } from "sonner";
import { useWebSocket } from "../../hooks/use-websocket";
import { formatCount } from "../../lib/format";
import type { Severity } from "../../lib/model";
import { ToastLimit } from "../../lib/toast-limit";
import { ALERTS, isAlert, showToast } from "../../lib/toasts";

/** The page's own colours, which follow its theme. */
const colours = {
  "--normal-bg": "var(--surface)",
  "--normal-border": "var(--line-strong)",
  "--normal-text": "var(--text)",
  "--border-radius": "10px",
} as CSSProperties;

const MOST_TOASTS = 6;
const PERIOD_MS = 3000;

export function NotificationToast() {
  const [news] = useState(() => new ToastLimit(MOST_TOASTS, PERIOD_MS));
  const [alerts] = useState(() => new ToastLimit(MOST_TOASTS, PERIOD_MS));

  const show = (severity: Severity, text: string, id: string | undefined) => {
    const withheld = (isAlert(severity) ? alerts : news).ask(performance.now());
    if (withheld === 0) {
      showToast(severity, text, id);
    } else if (isAlert(severity)) {
      showToast("warning", `${formatCount(withheld, "more alert")}, see the event log`, "withheld alerts");
    } else {
      showToast("info", `${formatCount(withheld, "more notification")}, see the event log`, "withheld");
    }
  };

  useWebSocket("notification", ({ severity, message }, { id, isKept }) => {
    if (!isKept) show(severity, message, id ?? undefined);
  });
  // One toast for each product, with the latest quantity.
  useWebSocket("stock_low", ({ sku, name, quantity }, { isKept }) => {
    if (!isKept) show("warning", `Low stock: ${name}, ${quantity} left`, `stock_low ${sku}`);
  });

  const shared = {
    closeButton: true,
    visibleToasts: 4,
    style: colours,
    toastOptions: { className: "toast", closeButtonAriaLabel: "Dismiss" },
  };
  return (
    <>
      <Toaster {...shared} position="bottom-right" hotkey={["altKey", "KeyT"]} containerAriaLabel="Notifications" />
      <Toaster {...shared} id={ALERTS} position="top-right" hotkey={["altKey", "KeyA"]} containerAriaLabel="Alerts" />
    </>
  );
}
