import { useState } from "react";
import { applyTheme, storedTheme, storeTheme, THEMES, type Theme } from "../../lib/theme";
import { Icon, type IconName } from "./Icon";

const icons: Record<Theme, IconName> = { system: "screen", light: "sun", dark: "moon" };
const names: Record<Theme, string> = { system: "same as the system", light: "light", dark: "dark" };

export function ThemeToggle() {
  const [theme, setTheme] = useState(storedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";

  const change = () => {
    setTheme(next);
    storeTheme(next);
    applyTheme(next);
  };
  const label = `Colours: ${names[theme]}. Change to ${names[next]}`;
  return (
    <button type="button" className="button icon-button" onClick={change} aria-label={label} title={label}>
      <Icon name={icons[theme]} />
    </button>
  );
}
