/** Shown in place of missing rows, or beside rows that may be out of date. */
import type { Resource } from "../../lib/live-data/resource";
import { Icon } from "./Icon";

interface ResourceStateProps {
  resource: Resource<string, unknown> | Resource<number, unknown>;
  /** The name of the rows, such as "orders". */
  noun: string;
  emptyText: string;
  onRetry: () => void;
}

export function ResourceState({ resource, noun, emptyText, onRetry }: ResourceStateProps) {
  const isEmpty = resource.rows.size === 0;
  switch (resource.status) {
    case "loading":
      return isEmpty ? <p className="placeholder is-loading">Loading {noun}…</p> : null;
    case "ready":
      return isEmpty ? <p className="placeholder">{emptyText}</p> : null;
    case "failed":
      return (
        <div className="failure" role="alert">
          <Icon name="warning" />
          <span>
            The {noun} could not be loaded: {resource.message}.
          </span>
          <button type="button" className="button small" onClick={onRetry}>
            Try again
          </button>
        </div>
      );
  }
}
