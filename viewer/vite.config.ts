import { defineConfig } from 'vitest/config';

// The server whose API the dev server forwards to; the built viewer asks the server it came from.
const SERVER = process.env.CITYTWIN_SERVER ?? 'http://127.0.0.1:8000';

export default defineConfig(({ command }) => ({
  // Relative in the build, so that the viewer works under any path prefix of a reverse proxy.
  base: command === 'build' ? './' : '/viewer/',
  server: { host: '127.0.0.1', proxy: { '^/(?!viewer/)': { target: SERVER } } },
  build: { target: 'es2022', chunkSizeWarningLimit: 1200, assetsInlineLimit: 0 },
  worker: { format: 'es' },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
}));
