import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // No test measures time: the limit only ends a test that waits forever.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
