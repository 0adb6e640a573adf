import { defineConfig } from "vite";

export default defineConfig({
  // outDir: "elsewhere",
  root: "src",
  build: { outDir: "../build/web", emptyOutDir: true },
});
