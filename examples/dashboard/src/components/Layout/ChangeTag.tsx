/** Says in a word what the colour of a row that just changed says. */
import type { Change } from "../../lib/live-data/resource";

export function ChangeTag({ change }: { change: Change | null }) {
  return change === null ? null : (
    <span className={`tag tag-${change}`}>{change === "created" ? "new" : "changed"}</span>
  );
}
