/** The result of submitting a form, which a screen reader also reads aloud. */
import type { ApiError } from "../../lib/api";
import { Icon } from "../Layout/Icon";

interface FormOutcomeProps {
  success: string | null;
  error: ApiError | null;
}

export function FormOutcome({ success, error }: FormOutcomeProps) {
  return (
    <p className="form-outcome" role="status">
      {error !== null ? (
        <span className="is-bad">
          <Icon name="warning" /> {capitalize(error.message)}
          {error.field !== null && <span className="visually-hidden"> (field {error.field})</span>}
        </span>
      ) : (
        success !== null && (
          <span className="is-good">
            <Icon name="check" /> {success}
          </span>
        )
      )}
    </p>
  );
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
