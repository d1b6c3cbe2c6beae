// What a page loads to compute: the module as it ships, and its wrapper.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const here = join(import.meta.dirname, '..', '..', 'runtime', 'web', 'package');
/** Most bytes, compressed by Brotli, which every browser takes. */
const WEIGHT = 700_000;

test('module and wrapper weigh little', () => {
  const files = ['headstart.wasm', 'headstart.js', 'archive.js', 'worker.js'].map((name) => readFileSync(join(here, name)));
  const weigh = (compress) => files.reduce((sum, file) => sum + compress(file).length, 0);
  const bytes = weigh(brotliCompressSync);
  console.log(`module and wrapper: ${bytes} bytes compressed by Brotli, ${weigh(gzipSync)} by gzip`);
  assert.ok(bytes <= WEIGHT, `${bytes}`);
});
