/** Rows of one kind, by key: loaded over REST, updated by events. */

export type Change = "created" | "updated";

export interface Row<Value> {
  value: Value;
  /** The row's latest change since this page was opened. */
  change: Change | null;
  /** When this page learned of that change. */
  changedAt: number;
  /** Learned from an event or an answer: a load that began before may lack it. */
  isLive: boolean;
}

export interface Resource<Key, Value> {
  /** After a failure the rows stay visible, beside the message. */
  status: "loading" | "ready" | "failed";
  message: string;
  rows: ReadonlyMap<Key, Row<Value>>;
}

interface Kind<Key, Value> {
  keyOf: (value: Value) => Key;
  /** A text that compares greater after each change. */
  versionOf: (value: Value) => string;
}

export function emptyResource<Key, Value>(): Resource<Key, Value> {
  return { status: "loading", message: "", rows: new Map() };
}

/**
 * Applies the result of a load. Events that arrived during the load may be newer than what it read,
 * so they take precedence; other rows that are not in the result are removed.
 */
export function loadResource<Key, Value>(
  resource: Resource<Key, Value>,
  values: readonly Value[],
  { keyOf, versionOf }: Kind<Key, Value>,
  startedAt: number,
  now: number,
): Resource<Key, Value> {
  const rows = new Map<Key, Row<Value>>();
  for (const value of values) {
    const former = resource.rows.get(keyOf(value));
    if (former === undefined) {
      const isFirstLoad = resource.status === "loading";
      rows.set(keyOf(value), { value, change: isFirstLoad ? null : "created", changedAt: now, isLive: false });
    } else if (versionOf(value) > versionOf(former.value)) {
      rows.set(keyOf(value), { value, change: "updated", changedAt: now, isLive: false });
    } else if (versionOf(value) === versionOf(former.value) || former.changedAt >= startedAt) {
      rows.set(keyOf(value), former);
    } else {
      // An older version than the known one: the database has been replaced.
      rows.set(keyOf(value), { value, change: "updated", changedAt: now, isLive: false });
    }
  }
  for (const [key, row] of resource.rows) {
    if (row.isLive && row.changedAt >= startedAt && !rows.has(key)) {
      rows.set(key, row);
    }
  }
  return { status: "ready", message: "", rows };
}

/** Collects changes of rows. Without changes, the resource stays the same object and is not
 * rendered again. */
export class ResourceDraft<Key, Value> {
  readonly #resource: Resource<Key, Value>;
  readonly #kind: Kind<Key, Value>;
  #rows: Map<Key, Row<Value>> | undefined;

  constructor(resource: Resource<Key, Value>, kind: Kind<Key, Value>) {
    this.#resource = resource;
    this.#kind = kind;
  }

  /** `change` is null for what was so before. */
  put(value: Value, change: Change | null, now: number): void {
    const { keyOf, versionOf } = this.#kind;
    const former = (this.#rows ?? this.#resource.rows).get(keyOf(value));
    // An equal version is applied too: both may be of the same millisecond, and events arrive in
    // order. What was so before is no reason to end the mark of a change.
    const isNewer =
      former === undefined ||
      versionOf(value) > versionOf(former.value) ||
      (change !== null && versionOf(value) === versionOf(former.value));
    if (isNewer) {
      this.#rows ??= new Map(this.#resource.rows);
      this.#rows.set(keyOf(value), { value, change, changedAt: now, isLive: true });
    }
  }

  finish(): Resource<Key, Value> {
    return this.#rows === undefined ? this.#resource : { ...this.#resource, rows: this.#rows };
  }
}

/** Applies the answer to a change that was saved here, unless its event arrived first. */
export function saveRow<Key, Value>(
  resource: Resource<Key, Value>,
  value: Value,
  change: Change,
  kind: Kind<Key, Value>,
  now: number,
): Resource<Key, Value> {
  const former = resource.rows.get(kind.keyOf(value));
  if (former !== undefined && kind.versionOf(former.value) >= kind.versionOf(value)) {
    return resource;
  }
  const draft = new ResourceDraft(resource, kind);
  draft.put(value, change, now);
  return draft.finish();
}
