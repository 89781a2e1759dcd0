import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressedCopies, sonnerStylesFromFile } from "./vite.plugins";

const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), sonnerStylesFromFile(), compressedCopies()],
  server: {
    proxy: {
      "/api": backend,
      // The statistics are below /ws too, so this entry is for both.
      "/ws": { target: backend, ws: true },
      "/socket.io": { target: backend, ws: true },
    },
  },
  build: {
    // Two pages, which share no script: without the polyfill for browsers of before 2024, either.
    modulePreload: { polyfill: false },
    rollupOptions: { input: ["index.html", "socketio.html"] },
  },
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // No test measures time: the limit only ends a test that waits forever.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    typecheck: { enabled: false },
  },
});
