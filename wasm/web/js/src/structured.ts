/**
 * The codec `structured`: what the structured clone algorithm carries, as bytes.
 *
 * `encode` gives bytes that own their buffer; `decode` a value that shares nothing with its bytes, in time and memory
 * bounded by their number, whatever they are. What one version wrote, every later one reads.
 *
 * The bytes are a 1, the version, and one value. A value is a tag of one byte and what the tag says. `n` is a whole number
 * in groups of seven bits, the lowest first, all but the last with the high bit set; `text` is a value that is a string.
 *
 * | tag | value |
 * |---|---|
 * | 0x80 + i | the number i, 0 to 127 |
 * | 0x40 + i | a string of i bytes of UTF-8, which follow |
 * | 0 | none: the end of a list, or there is no such property |
 * | 1, 2, 3, 4 | undefined, null, false, true |
 * | 5 n, 6 n | the numbers n and -n, up to 2^53 - 1 |
 * | 7, 8 bytes | any other number, little-endian |
 * | 8 text | a bigint in hexadecimal, perhaps with a minus |
 * | 9 n, n bytes | a string in UTF-8 |
 * | 10 text | a string with lone surrogates, as JSON |
 * | 11 n | the object numbered n once more; objects, which are what follows, are numbered from 0 as their tags come |
 * | 12 n, (text value)... 0 | an array of length n with holes or names: its indices and names with their values |
 * | 13 + i | an object of the kind `KINDS[i]`: |
 *
 * | kind | what follows |
 * |---|---|
 * | Object | (text value)... 0 |
 * | Array | n, n values |
 * | Date | its time, a number |
 * | Boolean, Number, String, BigInt | the primitive in the box |
 * | Map, Set | (key value)... 0; values... 0 |
 * | RegExp | source and flags, two texts |
 * | DOMException | message and name, two texts |
 * | Error and its six | message, stack and cause: a value each, or 0 |
 * | Blob | type, a text; n, n bytes |
 * | File | type, a text; name, a text; time of its last change, a number; n, n bytes |
 * | ArrayBuffer, its views | n, n bytes |
 *
 * As in the structured clone algorithm, classes, getters and prototypes are not kept, nor names on other objects than
 * arrays. Unlike there, a view comes back with a buffer of its own, of its own length, and a proxy as what it shows.
 */

import { decode } from "./structured-decode.js";
import { encode } from "./structured-encode.js";

/** The codec of `codec: "structured"`: values as IndexedDB and `postMessage` carry them. Waits only for `Blob`s. */
export const structured = { encode, decode };
