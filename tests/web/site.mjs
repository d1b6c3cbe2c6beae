// A server of static files, which knows nothing of what they are.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, normalize } from 'node:path';

const KINDS = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml', wasm: 'application/wasm' };

export class Site {
  static async serve(folder) {
    const site = new Site();
    site.server = createServer((request, response) => {
      const path = normalize(new URL(request.url, 'http://page').pathname);
      const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
      if (!existsSync(file) || !statSync(file).isFile()) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'Content-Type': KINDS[file.split('.').pop()] ?? 'application/octet-stream' }).end(readFileSync(file));
    });
    await new Promise((done) => site.server.listen(0, '127.0.0.1', done));
    site.url = `http://127.0.0.1:${site.server.address().port}/`;
    return site;
  }

  async end() {
    if (!this.server.listening) return;
    const ended = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await ended;
  }
}
