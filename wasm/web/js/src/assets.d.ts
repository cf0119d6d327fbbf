/** What the bundler makes of files that are no modules: text of `.txt`, bytes of `.wasm`. */

declare module "*.txt" {
  const text: string;
  export default text;
}

declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
