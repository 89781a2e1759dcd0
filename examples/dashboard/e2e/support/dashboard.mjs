// The dashboard as a user sees it: by roles, names and texts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Dashboard {
  constructor({ page, context, complaints }) {
    this.page = page;
    this.context = context;
    this.complaints = complaints;
    this.status = page.locator(".ws-manager-connection").getByRole("status");
  }

  panel(name) {
    return this.page.getByRole("region", { name, exact: true });
  }

  order(id) {
    return this.page.getByRole("row", { name: `#${id} `, exact: false }).filter({ has: this.page.getByRole("rowheader", { name: `#${id}`, exact: true }) });
  }

  toast(text) {
    return this.page.locator("[data-sonner-toast]").filter({ hasText: text });
  }

  async whenStatus(text) {
    await this.status.filter({ hasText: text }).waitFor();
  }

  async joinRoom(room) {
    const messages = this.panel("Messages");
    await messages.getByLabel("Room", { exact: true }).fill(room);
    await messages.getByRole("button", { name: "Join" }).click();
    await messages.getByLabel(`To the room ${room}`).waitFor();
  }

  async say(room, text) {
    const messages = this.panel("Messages");
    await messages.getByLabel(`To the room ${room}`).fill(text);
    await messages.getByRole("button", { name: "Send" }).click();
  }

  chat(room) {
    return this.page.getByRole("list", { name: `Messages in ${room}` });
  }

  /** Fails on serious findings of axe. Nothing moves any more: contrasts are low within a transition. */
  async assertAccessible(when) {
    await this.page.evaluate(axeSource);
    await this.page.evaluate(() => {
      const still = new CSSStyleSheet();
      still.replaceSync("*, *::before, *::after { transition: none !important; animation: none !important }");
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, still];
    });
    const { violations } = await this.page.evaluate(() => window.axe.run());
    const serious = violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
    assert.deepEqual(serious, [], when);
  }

  /** Closes the page; its console must have no errors. */
  async close() {
    await this.context.close();
    assert.deepEqual(this.complaints, [], "the console");
  }
}
