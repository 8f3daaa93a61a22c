import { defineConfig } from "vitest/config";

const PICTURES = process.env["SCREENSHOTS"] !== undefined;

/** The page in a real browser: needs Chromium, and skips without. */
export default defineConfig({
  test: {
    include: [PICTURES ? "test/browser/pictures.ts" : "test/browser/**/*.test.ts"],
    globalSetup: "test/support/temporary.ts",
    // A browser each: two of them are enough for one machine.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    env: { TZ: "UTC", KUBECONFIG: "/nowhere/kubeconfig", KUBERNETES_SERVICE_HOST: "" },
  },
});
