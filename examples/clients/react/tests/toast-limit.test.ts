/** The limit of toasts in a period. */
import { expect, it } from "vitest";
import { ToastLimit } from "../src/toast-limit";

it("limits the toasts in a period, and counts the others", () => {
  const limit = new ToastLimit(2, 1000);
  expect([0, 1, 2, 3, 1000, 1001, 1002].map((now) => limit.ask(now))).toEqual([0, 0, 1, 2, 0, 0, 1]);
});
