/** The part of wa-sqlite that comes without types. */

declare module "wa-sqlite/src/examples/AccessHandlePoolVFS.js" {
  export class AccessHandlePoolVFS {
    constructor(directoryPath: string);
    readonly isReady: Promise<void>;
    close(): Promise<void>;
  }
}
