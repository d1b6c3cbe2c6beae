// Serves the page of the measurement to a browser, and prints what it found: node speed.mjs PREPARED [SECONDS]
// PREPARED is what `python -m peers.prepare` (tests/peers) makes of both networks.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, normalize } from 'node:path';

const [prepared, seconds = '20'] = process.argv.slice(2);
const here = import.meta.dirname;
const places = { prepared, package: join(here, '..', '..', 'runtime', 'web', 'package') };
const kinds = { html: 'text/html', mjs: 'text/javascript', js: 'text/javascript', wasm: 'application/wasm' };

const profile = mkdtempSync(join(tmpdir(), 'headstart-speed-'));
let browser;
const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, 'http://page').pathname);
  if (request.method === 'POST') {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.end();
    const result = JSON.parse(Buffer.concat(parts));
    console.log(JSON.stringify(result, null, 1));
    process.exitCode = result.error ? 1 : 0;
    server.close();
    browser.kill();
    return;
  }
  const [, first, ...rest] = path.split('/');
  try {
    const content = readFileSync(places[first] ? join(places[first], ...rest) : join(here, path));
    response.setHeader('Content-Type', kinds[path.split('.').pop()] ?? 'application/octet-stream');
    response.end(content);
  } catch {
    response.statusCode = 404;
    response.end();
  }
});
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}/speed.html?seconds=${seconds}`;
  browser = spawn(process.env.CHROMIUM ?? 'chromium',
    ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', `--user-data-dir=${profile}`, url], { stdio: 'ignore' });
  browser.on('exit', () => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    server.close();
    server.closeAllConnections();
  });
});
