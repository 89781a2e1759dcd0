/** Shows toasts, those that need attention apart from the others, so that no news covers an error. */
import { toast } from "sonner";
import { colours } from "./styles.js";

export type Severity = "info" | "success" | "warning" | "error";

export interface Toast {
  severity: Severity;
  message: string;
  /** A toast with the same id is replaced. */
  id?: string | undefined;
}

/** The toaster of warnings and errors; the other one has no name. */
export const ALERTS = "ws-manager-alerts";

export function isAlert(severity: Severity): boolean {
  return severity === "warning" || severity === "error";
}

/** Shows a toast of the application itself, beside those of <NotificationToast>, which must be mounted. */
export function showToast({ severity, message, id }: Toast): void {
  const options = {
    ...(id === undefined ? {} : { id }),
    ...(isAlert(severity) ? { toasterId: ALERTS } : {}),
    className: `ws-manager-toast is-${severity}`,
  };
  switch (severity) {
    case "info":
      toast.info(message, { ...options, style: edge(colours.info), duration: 5000 });
      break;
    case "success":
      toast.success(message, { ...options, style: edge(colours.good), duration: 5000 });
      break;
    case "warning":
      toast.warning(message, { ...options, style: edge(colours.warning), duration: 10_000 });
      break;
    case "error":
      toast.error(message, { ...options, style: edge(colours.bad), duration: 20_000 });
      break;
  }
}

function edge(colour: string) {
  return { borderInlineStart: `4px solid ${colour}` };
}
