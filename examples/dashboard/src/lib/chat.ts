/** The lines of a chat: those of this page from when they are sent, the others when they arrive. */

/** A chat that is open for a day keeps no more. */
export const MOST_LINES = 50;

export interface Line {
  /** Of the sender's choice; a message that is sent again has the same. */
  nonce: string;
  /** null for an anonymous sender, and for this page's own lines. */
  author: string | null;
  text: string;
  status: "received" | "sending" | "sent" | "failed";
  /** Why it failed. */
  problem: string | null;
}

export type ChatAction =
  | { type: "said"; nonce: string; text: string }
  | { type: "accepted"; nonce: string }
  | { type: "failed"; nonce: string; problem: string }
  | { type: "arrived"; nonce: string; author: string | null; text: string };

/** Newest first. */
export function reduceChat(lines: readonly Line[], action: ChatAction): readonly Line[] {
  const { nonce } = action;
  switch (action.type) {
    case "said": {
      const line: Line = { nonce, author: null, text: action.text, status: "sending", problem: null };
      return [line, ...lines.filter((each) => each.nonce !== nonce)].slice(0, MOST_LINES);
    }
    case "accepted":
      return change(lines, nonce, { status: "sent", problem: null });
    case "failed":
      // It may have arrived before the answer was lost.
      return lines.map((line) =>
        line.nonce === nonce && line.status === "sending"
          ? { ...line, status: "failed", problem: action.problem }
          : line,
      );
    case "arrived": {
      const known = lines.find((line) => line.nonce === nonce);
      if (known === undefined) {
        const { author, text } = action;
        const line: Line = { nonce, author, text, status: "received", problem: null };
        return [line, ...lines].slice(0, MOST_LINES);
      }
      return known.status === "received" ? lines : change(lines, nonce, { status: "sent", problem: null });
    }
  }
}

function change(lines: readonly Line[], nonce: string, part: Partial<Line>): readonly Line[] {
  return lines.map((line) => (line.nonce === nonce ? { ...line, ...part } : line));
}
