/** The one error of the package, and its form while it travels between the worker and the page. */

/** What went wrong, for a program to act on; the message is for people. */
export type ErrorCode =
  /** The browser grants no more space. Nothing that was stored is lost. */
  | "quota"
  /** Another tab, or another handle in this one, has the store open. */
  | "locked"
  /** The store is damaged before its end; it was not touched. */
  | "corrupt"
  /** The bytes are not a store; they were not touched. */
  | "not-a-store"
  /** The handle was closed, or its worker is gone. */
  | "closed"
  /** An argument cannot be accepted, such as an empty value. */
  | "invalid"
  /** The browser failed at reading or writing. */
  | "io";

const CODES: readonly string[] = ["quota", "locked", "corrupt", "not-a-store", "closed", "invalid", "io"];

/** Every call of the package that fails, fails with this. */
export class TailstoneError extends Error {
  override readonly name = "TailstoneError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** An error as a message carries it. */
export interface WireError {
  code: ErrorCode;
  message: string;
  /** Name and message of what the browser threw, where it did. */
  cause?: { name: string; message: string } | undefined;
}

/** Makes any thrown value fit for a message. */
export function toWire(thrown: unknown): WireError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { cause } = error;
  return {
    code: codeOf(error),
    message: error.message,
    cause: cause instanceof Error ? { name: cause.name, message: cause.message } : undefined,
  };
}

/** The error that a message carried. */
export function fromWire({ code, message, cause }: WireError): TailstoneError {
  if (cause === undefined) return new TailstoneError(code, message);
  const inner = new Error(cause.message);
  inner.name = cause.name;
  return new TailstoneError(code, message, { cause: inner });
}

function codeOf(error: Error): ErrorCode {
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && CODES.includes(code)) return code as ErrorCode;
  switch (error.name) {
    case "QuotaExceededError":
      return "quota";
    case "NoModificationAllowedError":
      return "locked";
    default:
      return "io";
  }
}
