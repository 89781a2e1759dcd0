/** Gives in a word what the colour of a changed row shows. */
import type { Change } from "../../lib/live-data/resource";

export function ChangeTag({ change }: { change: Change | null }) {
  return change === null ? null : (
    <span className={`tag tag-${change}`}>{change === "created" ? "new" : "changed"}</span>
  );
}
