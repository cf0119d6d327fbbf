/**
 * Keeps a worker's thread from falling asleep between requests that come one right after the other: to wake it takes a system
 * longer than to answer most of them.
 *
 * Invariant: the thread is kept awake only for a moment behind an answer, and only if the request had come as soon behind
 * the one before. Whoever asks once a frame pays nothing.
 */

/** How soon the next request of a row comes, in milliseconds. Clocks of pages are no finer than a tenth. */
const SOON_MS = 0.5;

export class Awake {
  readonly #itself = new MessageChannel();
  #answeredAt = Number.NEGATIVE_INFINITY;
  #isRow = false;
  #isTurning = false;

  constructor() {
    const { port1, port2 } = this.#itself;
    port1.onmessage = () => {
      this.#isTurning = performance.now() - this.#answeredAt < SOON_MS;
      if (this.#isTurning) port2.postMessage(undefined);
    };
  }

  /** A request has come. */
  asked(): void {
    this.#isRow = performance.now() - this.#answeredAt < 2 * SOON_MS;
  }

  /** It was answered. */
  answered(): void {
    this.#answeredAt = performance.now();
    if (!this.#isRow || this.#isTurning || navigator.hardwareConcurrency < 2) return;
    this.#isTurning = true;
    this.#itself.port2.postMessage(undefined);
  }
}
