/** Reaches a store in this very thread. */

import type { Channel } from "./connection.js";
import { load } from "./engine.js";
import { TailstoneError, toWire } from "./errors.js";
import { Holder } from "./holder.js";
import { salvageIn } from "./opening.js";
import type { Place } from "./place.js";
import type { Event, OpenArguments, Reply } from "./protocol.js";
import { type Client, Server } from "./server.js";

export function inThisThread(code: Promise<WebAssembly.Module>, place: () => Place): Channel {
  // Whoever opens meets its failure.
  code.catch(() => {});
  let hear: (message: Reply | Event) => void = () => {};
  const client: Client = { send: (message) => hear(message) };
  let server: Server | undefined;
  const open = async ({ compactAt }: OpenArguments) => {
    load(await code);
    const holder = await Holder.open(place());
    if (holder.opened().backend === "memory") {
      const error = new TailstoneError("io", "the store lives in this program's memory");
      hear({ degraded: toWire(error) });
    }
    server = new Server(holder, compactAt);
    return holder.opened();
  };
  const salvage = async () => {
    load(await code);
    return salvageIn(place());
  };
  return {
    post: (request) => {
      if ("call" in request && (request.call === "open" || request.call === "close" || request.call === "salvage")) {
        let going: Promise<unknown> | undefined;
        if (request.call === "open") going = open(request.arguments as OpenArguments);
        else if (request.call === "salvage") going = salvage();
        else going = server?.close();
        void Promise.resolve(going).then(
          (ok) => hear({ id: request.id, ok }),
          (error: unknown) => hear({ id: request.id, error: toWire(error) }),
        );
      } else server?.receive(client, request);
    },
    listen: (listener) => {
      hear = listener;
    },
    end: () => {},
  };
}
