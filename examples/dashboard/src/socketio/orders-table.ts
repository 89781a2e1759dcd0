/** The newest orders as rows of a table, each in its latest version. */
import type { Order } from "../lib/model";

/** As many as a list of the backend has. */
const MOST_ROWS = 50;

const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

export class OrdersTable {
  readonly #body: HTMLElement;
  readonly #versions = new Map<number, string>();

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  /** Shows an order, unless a later version is shown: an event may overtake an answer. */
  put(order: Order): void {
    const shown = this.#versions.get(order.id);
    if (shown !== undefined && shown > order.updated_at) {
      return;
    }
    this.#versions.set(order.id, order.updated_at);
    const row = rowOf(order);
    const former = this.#row(order.id);
    if (former !== undefined) {
      former.replaceWith(row);
      return;
    }
    this.#body.insertBefore(row, this.#rows().find((other) => idOf(other) < order.id) ?? null);
    this.#limit();
  }

  /** Shows these orders once they are loaded, and no others, except those that came meanwhile. */
  async load(loading: Promise<readonly Order[]>): Promise<void> {
    const shownBefore = this.#rows();
    const orders = await loading;
    const listed = new Set(orders.map(({ id }) => id));
    for (const row of shownBefore) {
      if (row.isConnected && !listed.has(idOf(row))) {
        this.#remove(row);
      }
    }
    orders.forEach((order) => this.put(order));
  }

  #limit(): void {
    for (const row of this.#rows().slice(MOST_ROWS)) {
      this.#remove(row);
    }
  }

  #remove(row: HTMLElement): void {
    this.#versions.delete(idOf(row));
    row.remove();
  }

  #rows(): HTMLElement[] {
    return [...this.#body.children] as HTMLElement[];
  }

  #row(id: number): HTMLElement | undefined {
    return this.#rows().find((row) => idOf(row) === id);
  }
}

function idOf(row: HTMLElement): number {
  return Number(row.dataset.order);
}

function rowOf(order: Order): HTMLElement {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  row.dataset.order = String(order.id);
  head.scope = "row";
  head.textContent = `#${order.id}`;
  row.append(head);
  const items = order.items.map(({ quantity, name }) => `${quantity} × ${name}`).join(", ");
  for (const text of [order.client_name, items, order.status, money.format(order.total_cents / 100)]) {
    row.insertCell().textContent = text;
  }
  return row;
}
