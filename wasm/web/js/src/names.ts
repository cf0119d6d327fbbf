/** What stores of the browser's file system can be called. */

/** Longest name of a store, once encoded: what file systems allow of a name, with room to spare. */
const LONGEST_NAME = 200;

/** Whether `name` can be that of a folder. */
export function isFolderName(name: string): boolean {
  const encoded = encodeURIComponent(name);
  return encoded !== "" && encoded !== "." && encoded !== ".." && encoded.length <= LONGEST_NAME;
}
