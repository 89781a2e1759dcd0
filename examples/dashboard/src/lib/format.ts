/** Formats numbers and times. A time comes from a server, so it may be any text. */

const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const number = new Intl.NumberFormat("en-US");
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const dayAndTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export const formatMoney = (cents: number): string => money.format(cents / 100);
export const formatNumber = (value: number): string => number.format(value);
export const formatTime = (at: string | number): string => formatDate(time, at);
export const formatDayAndTime = (at: string): string => formatDate(dayAndTime, at);

/** Intl throws for a date that is none, and a page must not end because of one. */
function formatDate(format: Intl.DateTimeFormat, at: string | number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "—" : format.format(date);
}

/** "1 order", "2 orders" */
export function formatCount(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}
