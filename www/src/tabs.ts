/**
 * The tabs that show the same shelf: how many there are, and a channel on which they tell each other what they do.
 *
 * Each holds a lock of its own for as long as it lives, so that one that crashed is not counted.
 */

type Message = { hello: true } | { ops: number; bytes: number };

export class Tabs {
  /** Runs with the number of tabs, when that may have changed. */
  onCount: (count: number) => void = () => {};
  /** Runs with what another tab did. */
  onWork: (ops: number, bytes: number) => void = () => {};
  readonly #prefix: string;
  readonly #channel: BroadcastChannel;

  constructor(store: string) {
    this.#prefix = `shelf/${store}/`;
    this.#channel = new BroadcastChannel(this.#prefix);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if ("hello" in data) void this.#recount();
      else this.onWork(data.ops, data.bytes);
    };
  }

  /** Takes a place among the tabs, until the page goes. */
  join(): void {
    const id = `${this.#prefix}${Math.random().toString(36).slice(2)}`;
    const held = navigator.locks?.request(id, { mode: "shared" }, () => {
      this.#say({ hello: true });
      void this.#recount();
      return new Promise<never>(() => {});
    });
    held?.catch(() => {});
    // One tab's end is seen by the next that looks; a page that goes in good order says so.
    addEventListener("pagehide", () => this.#say({ hello: true }));
    document.addEventListener("visibilitychange", () => void this.#recount());
  }

  tell(ops: number, bytes: number): void {
    this.#say({ ops, bytes });
  }

  #say(message: Message): void {
    this.#channel.postMessage(message);
  }

  async #recount(): Promise<void> {
    // The lock of a page that has just gone is let go a moment later.
    for (const wait of [0, 500]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      const { held = [] } = (await navigator.locks?.query()) ?? {};
      const mine = held.filter(({ name }) => name?.startsWith(this.#prefix));
      this.onCount(Math.max(1, mine.length));
    }
  }
}
