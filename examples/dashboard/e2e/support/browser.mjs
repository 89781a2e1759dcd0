// Debian's chromium, and pages that record their console's errors.
import { chromium } from "playwright-core";

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}

/** Closes the pages that a failed test has left open: they would be counted by the next one. */
export async function closePages(browser) {
  await Promise.all(browser.contexts().map((context) => context.close()));
}

/**
 * A page in a context of its own. `complaints` gets each error in its console, except those that
 * `expected` matches: the browser itself logs a line for each unanswered request.
 */
export async function openPage(browser, url, { expected = [], ...options } = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => {
    if (!expected.some((pattern) => pattern.test(text))) {
      complaints.push(text);
    }
  };
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      complain(message.text());
    }
  });
  page.on("pageerror", (error) => complain(`uncaught: ${error.message}`));
  await page.goto(url);
  return { page, context, complaints };
}

export const NO_SERVER = [
  /^WebSocket connection to '.*' failed: /,
  /^Failed to load resource: net::ERR_CONNECTION_(REFUSED|RESET)/,
];
