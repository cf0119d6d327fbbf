/** The script of the worker that a page starts for a store: opens it here, or joins the tab that has it open. */

import { Awake } from "./awake.js";
import { load } from "./engine.js";
import { fromWire, TailstoneError, toWire } from "./errors.js";
import { Holder } from "./holder.js";
import { Member } from "./member.js";
import { salvageIn } from "./opening.js";
import { MemoryPlace } from "./place.js";
import { OpfsPlace, opfsRoot } from "./place-opfs.js";
import type { Code, OpenArguments, Opened, Recovery, Request } from "./protocol.js";
import { type Client, Server } from "./server.js";

declare const self: DedicatedWorkerGlobalScope;

const awake = new Awake();
const page: Client = {
  send: (message, moved) => {
    self.postMessage(message, moved);
    awake.answered();
  },
};

interface Party {
  receive(request: Request): void;
  close(): Promise<void>;
}

let giveCode: (code: WebAssembly.Module | Promise<never>) => void;
const code = new Promise<WebAssembly.Module>((resolve) => {
  giveCode = resolve;
});
// Whoever opens meets its failure.
code.catch(() => {});

let party: Promise<Party> | undefined;
let joined: Party | undefined;

self.onmessage = ({ data }: MessageEvent<Request | Code>) => {
  awake.asked();
  if ("code" in data) giveCode(data.code);
  else if ("noCode" in data) giveCode(Promise.reject(fromWire(data.noCode)));
  else if ("call" in data && (data.call === "open" || data.call === "close" || data.call === "salvage")) {
    let going: Promise<unknown> | undefined;
    if (data.call === "open") going = open(data.arguments as OpenArguments);
    else if (data.call === "salvage") going = salvage((data.arguments as { name: string }).name);
    else going = party?.then((party) => party.close());
    void Promise.resolve(going).then(
      (ok) => page.send({ id: data.id, ok }, []),
      (error: unknown) => page.send({ id: data.id, error: toWire(error) }, []),
    );
  } else if (joined !== undefined) joined.receive(data);
  else void party?.then((party) => party.receive(data));
};

async function open({ name, compactAt }: OpenArguments): Promise<Opened> {
  const root = await opfsRoot();
  if (root instanceof TailstoneError) {
    load(await code);
    const holder = await Holder.open(new MemoryPlace());
    const server = new Server(holder, compactAt);
    page.send({ degraded: toWire(root) }, []);
    joined = { receive: (request) => server.receive(page, request), close: () => server.close() };
    party = Promise.resolve(joined);
    return holder.opened();
  }
  const start = async () => {
    const [place] = await Promise.all([OpfsPlace.take(root, name), code.then(load)]);
    return Holder.open(place);
  };
  const member = new Member(name, compactAt, page, start);
  party = Promise.resolve(member);
  const opened = await member.opened;
  joined = member;
  return opened;
}

async function salvage(name: string): Promise<Recovery> {
  const root = await opfsRoot();
  if (root instanceof TailstoneError) throw root;
  load(await code);
  return navigator.locks.request(`tailstone/${name}`, { ifAvailable: true }, async (lock) => {
    if (lock === null) throw new TailstoneError("locked", `the store ${name} is open in a tab`);
    return salvageIn(await OpfsPlace.take(root, name));
  });
}
