/** A labelled control with the backend's error message about it. */
import { useId, type ReactNode } from "react";
import { Icon } from "../Layout/Icon";

interface ControlProps {
  id: string;
  "aria-invalid"?: true;
  "aria-describedby"?: string;
}

interface FieldProps {
  label: string;
  error: string | null;
  className?: string;
  /** Renders the control with these attributes. */
  children: (control: ControlProps) => ReactNode;
}

export function Field({ label, error, className = "", children }: FieldProps) {
  const id = useId();
  const errorId = `${id}-error`;
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      {children(error === null ? { id } : { id, "aria-invalid": true, "aria-describedby": errorId })}
      {error !== null && (
        <p className="field-error" id={errorId}>
          <Icon name="warning" /> {error}
        </p>
      )}
    </div>
  );
}
