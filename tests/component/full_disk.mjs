/**
 * Puts more than may go into a file: `node full_disk.mjs FOLDER [repaired]`, as a test starts it, under a limit
 * of the file's length. Prints as JSON what came of it, and of a small value after it.
 *
 * The shim gives what a failed read or write threw as it came, where the interface has codes; the component is left in the
 * middle of a call then and cannot be entered again. `repaired` puts a code in its place.
 */

import { bytes, Descriptor, instantiate } from "./instance.mjs";

const [, , folder, repaired] = process.argv;
if (repaired) {
  const { write } = Descriptor.prototype;
  Descriptor.prototype.write = function (content, offset) {
    try {
      return write.call(this, content, offset);
    } catch (error) {
      throw error.code === "EFBIG" ? "file-too-large" : error;
    }
  };
}

const store = (await instantiate(folder)).open("a.tsl");
store.put(bytes("before"), bytes("v"));
const outcome = (key, value) => {
  try {
    store.put(bytes(key), value);
    return "done";
  } catch (error) {
    return error.payload?.tag ?? error.code ?? error.name;
  }
};
const large = outcome("large", new Uint8Array(3 << 20));
const small = outcome("small", bytes("w"));
console.log(JSON.stringify({ large, small }));
