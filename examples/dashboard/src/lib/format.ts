/** Formats numbers and times. */

const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const number = new Intl.NumberFormat("en-US");
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export const formatMoney = (cents: number): string => money.format(cents / 100);
export const formatNumber = (value: number): string => number.format(value);
export const formatTime = (at: string | number): string => time.format(new Date(at));
export const formatDayAndTime = (at: string): string => dayAndTime.format(new Date(at));

/** "1 order", "2 orders" */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}
