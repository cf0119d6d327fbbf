/**
 * The tags of the codec `structured`, for both of its halves. They are on disk: one may be added behind, none changes.
 *
 * The numbers come first, because esbuild puts them into the code only up to the first constant that is none.
 */

export const VERSION = 1;

export const END = 0;
export const WHOLE = 5;
export const NEGATIVE = 6;
export const DOUBLE = 7;
export const BIGINT = 8;
export const TEXT = 9;
export const LONE_SURROGATES = 10;
export const AGAIN = 11;
export const SPARSE = 12;
export const KINDS_FROM = 13;
export const OBJECT = 13;
export const ARRAY = 14;
export const DATE = 15;
export const BOXED_LAST = 19;
export const MAP = 20;
export const SET = 21;
export const DOM_EXCEPTION = 23;
export const ERROR_LAST = 30;
export const BLOB = 31;
export const FILE = 32;
export const ARRAY_BUFFER = 33;
export const SHORT_TEXT = 0x40;
export const SHORT_WHOLE = 0x80;

/** How deep objects nest. Stacks overflow at another depth in each browser and thread; what one writes all must read. */
export const DEPTH_MAX = 1000;

/** Each by its tag. */
export const CONSTANTS: readonly unknown[] = [, undefined, null, false, true];

/** The kinds of objects from `KINDS_FROM` on, by their names, which are those of their constructors too. */
export const KINDS: readonly string[] = (
  "Object,Array,Date,Boolean,Number,String,BigInt,Map,Set,RegExp,DOMException," +
  "Error,EvalError,RangeError,ReferenceError,SyntaxError,TypeError,URIError,Blob,File," +
  "ArrayBuffer,DataView,Int8Array,Uint8Array,Uint8ClampedArray,Int16Array,Uint16Array,Int32Array,Uint32Array," +
  "Float32Array,Float64Array,BigInt64Array,BigUint64Array,Float16Array"
).split(",");

/** What is kept of an error. */
export const ERROR_KEYS = ["message", "stack", "cause"];

/** A number and its bytes. Every platform with a browser is little-endian. */
export const DOUBLES = new Float64Array(1);
export const DOUBLE_BYTES = new Uint8Array(DOUBLES.buffer);
