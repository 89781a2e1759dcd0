/**
 * Notifications and low stock as toasts. The client delivers each event once, so nothing is shown
 * again after a reconnect.
 */
import { useState, type CSSProperties } from "react";
import { toast, Toaster } from "sonner";
import { useWebSocket } from "../../hooks/use-websocket";
import { formatCount } from "../../lib/format";
import type { Severity } from "../../lib/model";
import { ToastLimit } from "../../lib/toast-limit";

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
  const [limit] = useState(() => new ToastLimit(MOST_TOASTS, PERIOD_MS));

  const show = (severity: Severity, text: string, id: string | undefined) => {
    const withheld = limit.ask(performance.now());
    if (withheld > 0) {
      toast.info(`${formatCount(withheld, "more notification")}, see the event log`, {
        id: "withheld",
      });
    } else {
      showToast(severity, text, id);
    }
  };

  useWebSocket("notification", ({ severity, message }, { id }) =>
    show(severity, message, id ?? undefined),
  );
  // One toast for each product, with the latest quantity.
  useWebSocket("stock_low", ({ sku, name, quantity }) =>
    show("warning", `Low stock: ${name}, ${quantity} left`, `stock_low ${sku}`),
  );

  return (
    <Toaster
      position="bottom-right"
      closeButton
      visibleToasts={4}
      hotkey={["altKey", "KeyT"]}
      containerAriaLabel="Notifications"
      style={colours}
      toastOptions={{ className: "toast", closeButtonAriaLabel: "Dismiss" }}
    />
  );
}

function showToast(severity: Severity, text: string, id: string | undefined): void {
  const options = { ...(id === undefined ? {} : { id }), className: `toast is-${severity}` };
  switch (severity) {
    case "info":
      toast.info(text, { ...options, duration: 5000 });
      break;
    case "success":
      toast.success(text, { ...options, duration: 5000 });
      break;
    case "warning":
      toast.warning(text, { ...options, duration: 10_000 });
      break;
    case "error":
      toast.error(text, { ...options, duration: 20_000 });
      break;
  }
}
