/** The one error of the package, and its form while it travels between the worker and the page. */

/** What went wrong, for a program to act on; the message is for people. */
export type ErrorCode =
  /** The browser grants no more space. Nothing that was stored is lost. */
  | "quota"
  /** Somebody else has the store open. */
  | "locked"
  /** The store is damaged before its end; it was not touched. */
  | "corrupt"
  /** The bytes are not a store; they were not touched. */
  | "not-a-store"
  /** The store was closed, or its worker is gone. */
  | "closed"
  /** An argument cannot be accepted. */
  | "invalid"
  /** The browser failed at reading or writing. */
  | "io";

/** All codes, in the order of their numbers in the engine's answers. */
export const CODES: readonly ErrorCode[] = ["quota", "locked", "corrupt", "not-a-store", "closed", "invalid", "io"];

/** Every call of the package that fails, fails with this; `cause` is what the platform threw, where it did. */
export class TailstoneError extends Error {
  /** Always `"TailstoneError"`. */
  override readonly name = "TailstoneError";
  /** What went wrong, in one word. */
  readonly code: ErrorCode;

  /** An error of the package. */
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** An error as a message carries it. */
export interface WireError {
  code: ErrorCode;
  message: string;
  /** Name and message of what the platform threw, where it did. */
  cause?: { name: string; message: string } | undefined;
}

/** Makes any thrown value fit for a message. */
export function toWire(thrown: unknown): WireError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const cause = codeOf(error) === (error as { code?: unknown }).code ? error.cause : error;
  return {
    code: codeOf(error),
    message: error.message,
    cause: cause instanceof Error ? { name: cause.name, message: cause.message } : undefined,
  };
}

/** The error that a message carried. */
export function fromWire({ code, message, cause }: WireError): TailstoneError {
  return new TailstoneError(code, message, cause && { cause: Object.assign(new Error(cause.message), { name: cause.name }) });
}

/** The code of anything that was thrown. */
export function codeOf(error: unknown): ErrorCode {
  const { code, name } = error as { code?: ErrorCode; name?: string };
  if (CODES.includes(code as ErrorCode)) return code as ErrorCode;
  if (name === "QuotaExceededError" || (code as string) === "ENOSPC") return "quota";
  return name === "NoModificationAllowedError" ? "locked" : "io";
}

/** What calls of a closed store fail with. */
export function closed(): TailstoneError {
  return new TailstoneError("closed", "the store was closed");
}
