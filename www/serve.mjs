/**
 * Serves a folder on 127.0.0.1, for a person or for tests: `node serve.mjs [--port N]`.
 *
 * Nothing is cached, so that a reload shows the last build.
 */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const HERE = fileURLToPath(new URL(".", import.meta.url));

/** Starts serving; port 0 takes a free one. Resolves to the address and a way to stop. */
export function serve({ folder = HERE, port = 0 } = {}) {
  const server = createServer(async (request, response) => {
    const found = await locate(folder, request.url ?? "/");
    if (found === undefined || !["GET", "HEAD"].includes(request.method ?? "")) {
      response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(found.path)] ?? "application/octet-stream",
      "content-length": found.size,
      "cache-control": "no-store",
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(found.path).on("error", () => response.destroy()).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const stop = () => {
        server.closeAllConnections();
        return new Promise((done) => server.close(done));
      };
      resolve({ url: `http://127.0.0.1:${server.address().port}/`, stop });
    });
  });
}

/** The file that a request names, if it is one inside of the folder. */
async function locate(folder, url) {
  try {
    const { pathname } = new URL(url, "http://localhost");
    const path = normalize(join(folder, decodeURIComponent(pathname), pathname.endsWith("/") ? "index.html" : ""));
    if (!path.startsWith(normalize(folder + sep))) return undefined;
    const stats = await stat(path);
    return stats.isFile() ? { path, size: stats.size } : undefined;
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf("--port");
  const { url } = await serve({ port: at < 0 ? 0 : Number(process.argv[at + 1]) });
  console.log(`serving ${url} until interrupted`);
}
