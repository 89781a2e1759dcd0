import js from "@eslint/js";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["**/dist/", "**/node_modules/", "backend/"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // Warns users of the React compiler, which is not used here, of the virtualiser.
      "react-hooks/incompatible-library": "off",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // Numbers in template texts are what a dashboard is made of.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // `onClick={() => void send()}` and one-line handlers are plain enough.
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ["**/*.mjs", "**/*.js"],
    languageOptions: {
      globals: {
        console: "readonly", process: "readonly", fetch: "readonly", URL: "readonly",
        setTimeout: "readonly", Event: "readonly", clearTimeout: "readonly", setInterval: "readonly",
        clearInterval: "readonly", performance: "readonly", Buffer: "readonly",
        window: "readonly", document: "readonly", requestAnimationFrame: "readonly",
        PerformanceObserver: "readonly", location: "readonly", localStorage: "readonly", EventSource: "readonly",
        CSSStyleSheet: "readonly",
      },
    },
  },
);
