import { defineConfig } from 'vite';

/** The page, built to files that the engine serves: relative addresses, so that it also works below a path of a proxy. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  logLevel: 'warn',
  worker: { format: 'es' },
  build: {
    outDir: '../../dist/dashboard',
    emptyOutDir: true,
    // No data: addresses: a strict content security policy may then be set.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2024',
    // With light-dark(): the colours of styles/theme.css as they are written.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
  },
});
