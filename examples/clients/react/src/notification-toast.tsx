/**
 * Notifications as toasts. The client delivers each event once, so nothing is shown again after a
 * reconnect. Warnings and errors have a place and a limit of their own: a flood of news neither
 * covers nor withholds them.
 */
import type { AnyEvent } from "@ws-manager/client";
import { useEffect, useState, type CSSProperties } from "react";
import { Toaster } from "sonner";
import { useClient } from "./provider.js";
import type { RegisteredEvents } from "./register.js";
import { ToastLimit } from "./toast-limit.js";
import { ALERTS, isAlert, showToast, type Severity, type Toast } from "./toasts.js";
import { useNewest } from "./use-newest.js";

const MOST_TOASTS = 6;
const PERIOD_MS = 3000;

const SEVERITIES: readonly unknown[] = ["info", "success", "warning", "error"] satisfies Severity[];

export interface NotificationToastProps {
  /** Which events are shown, and how; null for those that are not. By default the server's events of
   * the type `notification`. */
  toToast?: ((event: AnyEvent<RegisteredEvents>) => Toast | null) | undefined;
  theme?: "light" | "dark" | "system" | undefined;
  /** Of the two lists, for the properties of sonner, such as --normal-bg. */
  style?: CSSProperties | undefined;
}

export function NotificationToast(props: NotificationToastProps) {
  const { toToast = notificationToast, theme = "system", style } = props;
  const client = useClient("NotificationToast");
  const [news] = useState(() => new ToastLimit(MOST_TOASTS, PERIOD_MS));
  const [alerts] = useState(() => new ToastLimit(MOST_TOASTS, PERIOD_MS));

  const onEvent = useNewest((event: AnyEvent<RegisteredEvents>) => {
    const toast = event.isKept ? null : toToast(event); // what a room kept is no news
    if (toast === null) {
      return;
    }
    const withheld = (isAlert(toast.severity) ? alerts : news).ask(performance.now());
    if (withheld === 0) {
      showToast({ ...toast, id: toast.id ?? event.id ?? undefined });
    } else if (isAlert(toast.severity)) {
      showToast({ severity: "warning", message: countOf(withheld, "more alert"), id: "withheld alerts" });
    } else {
      showToast({ severity: "info", message: countOf(withheld, "more notification"), id: "withheld" });
    }
  });
  useEffect(() => client.onAny(onEvent), [client, onEvent]);

  const shared = {
    closeButton: true,
    visibleToasts: 4,
    theme,
    ...(style === undefined ? {} : { style }),
    toastOptions: { closeButtonAriaLabel: "Dismiss" },
  };
  return (
    <>
      <Toaster {...shared} position="bottom-right" hotkey={["altKey", "KeyT"]} containerAriaLabel="Notifications" />
      <Toaster {...shared} id={ALERTS} position="top-right" hotkey={["altKey", "KeyA"]} containerAriaLabel="Alerts" />
    </>
  );
}

/** The toast of an event of the type `notification`, whether the application has a schema for it or
 * not; null for all others. */
export function notificationToast(event: { type: string; data: unknown }): Toast | null {
  const { type, data } = event;
  if (type !== "notification" || typeof data !== "object" || data === null) {
    return null;
  }
  const { message, severity } = data as { message?: unknown; severity?: unknown };
  return typeof message === "string" && SEVERITIES.includes(severity)
    ? { message, severity: severity as Severity }
    : null;
}

/** "1 more alert", "2 more alerts" */
function countOf(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
