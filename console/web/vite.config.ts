import { defineConfig } from 'vite'
import react from '@vitejs/plugin-react'

// The base is relative: the server writes <base href> into each page, so that the console
// works behind a path prefix. No source maps: what is served is what users see.
export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    sourcemap: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 120_000 },
} as Parameters<typeof defineConfig>[0])
