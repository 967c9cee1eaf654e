import { defineConfig } from "vite";

export default defineConfig({
  // The gateway serves it at the root; what is shown stands behind `#`, which no server ever sees.
  base: "/",
  build: {
    outDir: "dist",
    target: "es2022",
    assetsDir: "app",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: {
    alias: { react: "preact/compat", "react-dom": "preact/compat" },
  },
});
