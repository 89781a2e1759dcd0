/** Sends a notification to everyone, or to the connections of one user. */
import { useState, type SubmitEvent } from "react";
import { useRequest } from "../../hooks/use-request";
import { sendNotification } from "../../lib/api";
import { SEVERITIES, type Severity } from "../../lib/model";
import { Field } from "../Forms/Field";
import { FormOutcome } from "../Forms/FormOutcome";

export function NotificationForm() {
  const [message, setMessage] = useState("");
  const [severity, setSeverity] = useState<Severity>("info");
  const [userId, setUserId] = useState("");
  const [success, setSuccess] = useState<string | null>(null);
  const { isPending, error, run, clearError } = useRequest();

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setSuccess(null);
    const draft = { message, severity, user_id: userId === "" ? null : userId };
    if ((await run(() => sendNotification(draft))) !== null) {
      setSuccess(userId === "" ? "Sent to everyone." : `Sent to ${userId}, if connected.`);
      setMessage("");
    }
  };
  const errorOf = (field: string) => (error?.field === field ? error.message : null);

  return (
    <form noValidate className="form" aria-label="Notification" onSubmit={(event) => void submit(event)}>
      <Field label="Notification" error={errorOf("message")}>
        {(control) => (
          <input {...control} placeholder="Text of the notification" value={message} onChange={(event) => { clearError(); setMessage(event.target.value); }} />
        )}
      </Field>
      <div className="form-row">
        <Field label="Severity" error={errorOf("severity")} className="grows">
          {(control) => (
            <select {...control} value={severity} onChange={(event) => setSeverity(SEVERITIES.find((each) => each === event.target.value) ?? "info")}>
              {SEVERITIES.map((each) => <option key={each}>{each}</option>)}
            </select>
          )}
        </Field>
        <Field label="User (everyone if empty)" error={errorOf("user_id")} className="grows">
          {(control) => (
            <input {...control} autoComplete="off" value={userId} onChange={(event) => { clearError(); setUserId(event.target.value); }} />
          )}
        </Field>
      </div>
      <div className="form-actions">
        <button type="submit" className="button primary" disabled={isPending}>
          {isPending ? "Sending…" : "Notify"}
        </button>
      </div>
      <FormOutcome success={success} error={error} />
    </form>
  );
}
