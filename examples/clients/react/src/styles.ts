/**
 * Styles of the components, as attributes: so they look right in any page, also in the first HTML of
 * a server, and need no stylesheet. The properties below are for a page with colours of its own.
 */
import type { CSSProperties } from "react";

/** Of icons and edges: each has a contrast of 3.9 to 4.8 with white and with #121212. The texts have the
 * page's colour. */
export const colours = {
  good: "var(--ws-manager-good, #17854a)",
  warning: "var(--ws-manager-warning, #b45f06)",
  bad: "var(--ws-manager-bad, #d9343f)",
  info: "var(--ws-manager-info, #1876c2)",
} as const;

export const root: CSSProperties = {
  display: "inline-flex",
  flexWrap: "wrap",
  alignItems: "center",
  gap: "0.35em 0.6em",
};

export function status(colour: string): CSSProperties {
  return {
    display: "inline-flex",
    alignItems: "center",
    gap: "0.4em",
    padding: "0.2em 0.7em",
    border: `1px solid ${colour}`,
    borderRadius: "99px",
  };
}

/** The figures change each second, and nothing beside them moves. */
export const countdown: CSSProperties = { fontVariantNumeric: "tabular-nums" };

export const button: CSSProperties = {
  padding: "0.2em 0.7em",
  border: "1px solid currentColor",
  borderRadius: "0.5em",
  background: "transparent",
  color: "inherit",
  font: "inherit",
  cursor: "pointer",
};
