import { defineConfig } from "vitest/config";

/** One after the other: they share a cluster, and some restart it. */
export default defineConfig({
  test: {
    include: ["test/e2e/**/*.test.ts"],
    globalSetup: "test/support/temporary.ts",
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
