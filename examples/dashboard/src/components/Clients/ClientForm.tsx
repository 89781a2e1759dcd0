import { useState, type SubmitEvent } from "react";
import type { LiveDataActions } from "../../contexts/LiveDataContext";
import { useRequest } from "../../hooks/use-request";
import { Field } from "../Forms/Field";
import { FormOutcome } from "../Forms/FormOutcome";

const empty = { name: "", email: "", phone: "" };

export function ClientForm({ addClient }: { addClient: LiveDataActions["addClient"] }) {
  const [draft, setDraft] = useState(empty);
  const [success, setSuccess] = useState<string | null>(null);
  const { isPending, error, run, clearError } = useRequest();

  const change = (part: Partial<typeof empty>) => {
    clearError();
    setDraft({ ...draft, ...part });
  };
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setSuccess(null);
    const { name, email, phone } = draft;
    const saved = await run(() => addClient({ name, email, phone: phone === "" ? null : phone }));
    if (saved !== null) {
      setSuccess(`${saved} was added.`);
      setDraft(empty);
    }
  };
  const errorOf = (field: string) => (error?.field === field ? error.message : null);

  return (
    <form noValidate className="form" onSubmit={(event) => void submit(event)}>
      <Field label="Name" error={errorOf("name")}>
        {(control) => (
          <input {...control} autoComplete="off" value={draft.name} onChange={(event) => change({ name: event.target.value })} />
        )}
      </Field>
      <Field label="E-mail" error={errorOf("email")}>
        {(control) => (
          <input {...control} type="email" autoComplete="off" value={draft.email} onChange={(event) => change({ email: event.target.value })} />
        )}
      </Field>
      <Field label="Phone (optional)" error={errorOf("phone")}>
        {(control) => (
          <input {...control} type="tel" autoComplete="off" value={draft.phone} onChange={(event) => change({ phone: event.target.value })} />
        )}
      </Field>
      <div className="form-actions">
        <button type="submit" className="button primary" disabled={isPending}>
          {isPending ? "Adding…" : "Add client"}
        </button>
      </div>
      <FormOutcome success={success} error={error} />
    </form>
  );
}
