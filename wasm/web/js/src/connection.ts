/** The page's end of the channel: gathers the calls of one microtask, sends them as one message, settles each. */

import { fromWire, TailstoneError } from "./errors.js";
import { Packer } from "./pack.js";
import type { Call, Operation, Operations, Reply, Request } from "./protocol.js";

/** A result, and the buffer that its packed bytes lie in. */
export interface Answer<O extends Operation> {
  result: Operations[O]["result"];
  shared: ArrayBuffer;
}

interface Waiting {
  resolve(answer: Answer<Operation>): void;
  reject(error: TailstoneError): void;
}

export class Connection {
  readonly #worker: Worker;
  readonly #sent = new Map<number, Waiting[]>();
  #next = 0;
  #packer = new Packer();
  #calls: Call[] = [];
  #waiting: Waiting[] = [];
  #ended: TailstoneError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener("message", (event: MessageEvent<Reply>) => this.#settle(event.data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.end(new TailstoneError("io", `the store's worker failed: ${event.message || "it could not be loaded"}`));
    });
    worker.addEventListener("messageerror", () => {
      this.end(new TailstoneError("io", "an answer of the store's worker could not be read"));
    });
  }

  /** Sends a call with the others of this microtask. `make` puts its bytes into the message at once. */
  call<O extends Operation>(op: O, make: (packer: Packer) => Operations[O]["call"]): Promise<Answer<O>> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      const call = { op, ...make(this.#packer) } as unknown as Call;
      if (this.#calls.push(call) === 1) queueMicrotask(() => this.#send());
      this.#waiting.push({ resolve: resolve as Waiting["resolve"], reject });
    });
  }

  /** Stops the worker; what still waits, and every later call, fails with `reason`. */
  end(reason: TailstoneError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#worker.terminate();
    for (const waiting of [...this.#sent.values(), this.#waiting].flat()) waiting.reject(reason);
    this.#sent.clear();
    this.#waiting = [];
    this.#calls = [];
  }

  #send(): void {
    if (this.#ended !== undefined) return;
    const [packer, calls, waiting] = [this.#packer, this.#calls, this.#waiting];
    this.#packer = new Packer();
    this.#calls = [];
    this.#waiting = [];
    const id = this.#next++;
    const request: Request = { id, calls, shared: packer.finish() };
    this.#sent.set(id, waiting);
    this.#worker.postMessage(request, packer.moved);
  }

  #settle({ id, outcomes, shared }: Reply): void {
    const waiting = this.#sent.get(id) ?? [];
    this.#sent.delete(id);
    waiting.forEach(({ resolve, reject }, place) => {
      const outcome = outcomes[place];
      if (outcome === undefined) reject(new TailstoneError("io", "the store's worker left a call unanswered"));
      else if ("error" in outcome) reject(fromWire(outcome.error));
      else resolve({ result: outcome.ok, shared });
    });
  }
}
