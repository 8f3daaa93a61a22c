import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/e2e/**", "test/browser/**"],
    globalSetup: "test/support/temporary.ts",
    setupFiles: "test/support/seed.ts",
    testTimeout: 20_000,
    // Whoever runs the tests may have a cluster, or be in one: no test speaks to it.
    env: { TZ: "UTC", KUBECONFIG: "/nowhere/kubeconfig", KUBERNETES_SERVICE_HOST: "" },
  },
});
