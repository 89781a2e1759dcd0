/** Shows toasts, those that need attention apart from the others, so that no news covers an error. */
import { toast } from "sonner";
import type { Severity } from "./model";

/** The toaster of warnings and errors; the other one has no name. */
export const ALERTS = "alerts";

export function isAlert(severity: Severity): boolean {
  return severity === "warning" || severity === "error";
}

/** A toast with the same id is replaced. */
export function showToast(severity: Severity, text: string, id?: string): void {
  const options = {
    ...(id === undefined ? {} : { id }),
    ...(isAlert(severity) ? { toasterId: ALERTS } : {}),
    className: `toast is-${severity}`,
  };
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
