/** Places an order. The backend validates it. */
import { memo, useEffect, useRef, useState, type SubmitEvent } from "react";
import type { LiveDataActions } from "../../contexts/LiveDataContext";
import { useRequest } from "../../hooks/use-request";
import { formatMoney } from "../../lib/format";
import type { Resource } from "../../lib/live-data/resource";
import type { Client, InventoryItem } from "../../lib/model";
import { Field } from "../Forms/Field";
import { FormOutcome } from "../Forms/FormOutcome";
import { Icon } from "../Layout/Icon";
import { Panel } from "../Layout/Panel";

interface OrderFormProps {
  clients: Resource<number, Client>;
  inventory: Resource<string, InventoryItem>;
  placeOrder: LiveDataActions["placeOrder"];
}

/** As typed; an empty SKU or client means the first one. */
interface Line {
  key: number;
  sku: string;
  quantity: string;
}

export const OrderForm = memo(function OrderForm({ clients, inventory, placeOrder }: OrderFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [clientId, setClientId] = useState("");
  const [lines, setLines] = useState<Line[]>([{ key: 0, sku: "", quantity: "1" }]);
  const [success, setSuccess] = useState<string | null>(null);
  const { isPending, error, run, clearError } = useRequest();

  const items = [...inventory.rows.values()].map(({ value }) => value);
  const people = [...clients.rows.values()].map(({ value }) => value);
  const firstSku = items[0]?.sku ?? "";
  const firstClient = String(people[0]?.id ?? "");
  const canSubmit = items.length > 0 && people.length > 0 && !isPending;

  const total = lines.reduce((sum, { sku, quantity }) => {
    const price = inventory.rows.get(sku || firstSku)?.value.price_cents ?? 0;
    return sum + price * (Number(quantity) || 0);
  }, 0);

  const changeLine = (key: number, change: Partial<Line>) => {
    clearError();
    setLines(lines.map((line) => (line.key === key ? { ...line, ...change } : line)));
  };
  const addLine = () => {
    clearError();
    setLines([...lines, { key: Math.max(...lines.map(({ key }) => key)) + 1, sku: "", quantity: "1" }]);
  };
  const removeLine = (key: number) => {
    clearError();
    setLines(lines.filter((line) => line.key !== key));
  };

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setSuccess(null);
    const draft = {
      client_id: Number(clientId || firstClient),
      items: lines.map(({ sku, quantity }) => ({
        sku: sku || firstSku,
        // Input that is not a number is sent as null, and the backend reports that a number is
        // needed.
        quantity: quantity.trim() === "" ? Number.NaN : Number(quantity),
      })),
    };
    const id = await run(() => placeOrder(draft));
    if (id !== null) {
      setSuccess(`Order #${id} was placed.`);
      setLines([{ key: 0, sku: lines[0]?.sku ?? "", quantity: "1" }]);
    }
  };

  // An effect, because the field is marked by the rendering of the error: in a slow page, a frame
  // that is requested with the error may come before it.
  useEffect(() => {
    if (error !== null) {
      form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    }
  }, [error]);

  const errorOf = (field: string) => (error?.field === field ? error.message : null);

  return (
    <Panel title="New order" className="order-form-panel">
      <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="form">
        <Field label="Client" error={errorOf("client_id")}>
          {(control) => (
            <select {...control} value={clientId || firstClient} onChange={(event) => { clearError(); setClientId(event.target.value); }}>
              {people.map(({ id, name }) => (
                <option key={id} value={id}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        {lines.map((line, index) => (
          <fieldset key={line.key} className="order-line">
            <legend className="visually-hidden">Item {index + 1}</legend>
            <Field label="Product" error={errorOf(`items[${index}].sku`)} className="grows">
              {(control) => (
                <select {...control} value={line.sku || firstSku} onChange={(event) => changeLine(line.key, { sku: event.target.value })}>
                  {items.map(({ sku, name, price_cents }) => (
                    <option key={sku} value={sku}>{name} · {formatMoney(price_cents)}</option>
                  ))}
                </select>
              )}
            </Field>
            <Field label="Quantity" error={errorOf(`items[${index}].quantity`)}>
              {(control) => (
                <input {...control} type="number" inputMode="numeric" value={line.quantity} onChange={(event) => changeLine(line.key, { quantity: event.target.value })} />
              )}
            </Field>
            {lines.length > 1 && (
              <button type="button" className="button icon-button" aria-label={`Remove item ${index + 1}`} onClick={() => removeLine(line.key)}>
                <Icon name="cross" />
              </button>
            )}
          </fieldset>
        ))}
        <div className="form-actions">
          <button type="button" className="button quiet" onClick={addLine}>
            <Icon name="plus" /> Add item
          </button>
          <span className="order-form-total">{formatMoney(total)}</span>
          <button type="submit" className="button primary" disabled={!canSubmit}>
            {isPending ? "Placing…" : "Place order"}
          </button>
        </div>
        <FormOutcome success={success} error={error} />
      </form>
    </Panel>
  );
});
