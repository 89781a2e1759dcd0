import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { applyTheme, storedTheme } from "./lib/theme";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/components.css";
import "./styles/tables.css";
import "sonner/dist/styles.css";

const root = document.getElementById("root");
if (root === null) {
  throw new Error("index.html has no #root");
}
applyTheme(storedTheme());
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
