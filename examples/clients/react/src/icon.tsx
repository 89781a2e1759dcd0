/** Small icons beside a text; they carry no information that the text does not. */
import type { CSSProperties } from "react";

const paths = {
  check: "M4 12.5l5 5L20 6.5",
  cross: "M6 6l12 12M18 6L6 18",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  loop: "M20 11a8 8 0 0 0-14.3-4L4 9m0-5v5h5M4 13a8 8 0 0 0 14.3 4l1.7-2m0 5v-5h-5",
  offline: "M3 3l18 18M8.5 16.4a5 5 0 0 1 7 0M5 12.9a10 10 0 0 1 5.2-2.7M14.9 10.6A10 10 0 0 1 19 12.9M12 20h.01",
  shield: "M12 3l7 3v5c0 4.6-3 8-7 10-4-2-7-5.4-7-10V6zM9.5 9.5l5 5m0-5l-5 5",
} as const;

export type IconName = keyof typeof paths;

interface IconProps {
  name: IconName;
  style: CSSProperties | undefined;
}

/** Its size is an attribute, which every rule of a page overrides: without any, it is as large as the
 * text. */
export function Icon({ name, style }: IconProps) {
  return (
    <svg
      className="ws-manager-icon"
      style={style}
      viewBox="0 0 24 24"
      width="1em"
      height="1em"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
