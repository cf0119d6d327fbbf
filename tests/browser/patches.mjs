/**
 * What a test puts between the package's worker and the browser's files: sources that run in a worker before its own
 * module. Each wraps the methods of the file handle, and leaves on `self` what a test asks or sets.
 */

const METHODS = `["read", "write", "flush", "truncate", "getSize", "close"]`;

/** Every handle knows the name of its file. */
const NAMED = `
  const create = FileSystemFileHandle.prototype.createSyncAccessHandle;
  FileSystemFileHandle.prototype.createSyncAccessHandle = async function (...args) {
    const handle = await create.apply(this, args);
    handle.fileName = this.name;
    return handle;
  };
`;

/** Counts what is asked of the files that hold entries: calls by name, and bytes; `takeCalls()` tells and starts anew. */
export const COUNTING = `
  ${NAMED}
  let calls = {};
  const count = (name, by) => (calls[name] = (calls[name] ?? 0) + by);
  for (const name of ${METHODS}) {
    const original = FileSystemSyncAccessHandle.prototype[name];
    FileSystemSyncAccessHandle.prototype[name] = function (...args) {
      const result = original.apply(this, args);
      if (this.fileName?.endsWith(".tsl")) {
        count(name, 1);
        if (name === "read" || name === "write") count(name + "Bytes", result);
      }
      return result;
    };
  }
  self.takeCalls = () => {
    const taken = calls;
    calls = {};
    return taken;
  };
`;

/** Timers of more than a few milliseconds never ring: nothing is flushed but when somebody asks. */
export const NO_TIMERS = `
  const { setTimeout: original } = self;
  self.setTimeout = (call, after = 0, ...args) => (after > 5 ? 0 : original(call, after, ...args));
`;

/** Every call moves half of what it is given. */
export const SHORT = `
  const { read, write } = FileSystemSyncAccessHandle.prototype;
  FileSystemSyncAccessHandle.prototype.write = function (from, options) {
    return write.call(this, from.subarray(0, Math.ceil(from.length / 2)), options);
  };
  FileSystemSyncAccessHandle.prototype.read = function (into, options) {
    return read.call(this, into.subarray(0, Math.ceil(into.length / 2)), options);
  };
`;

/** Methods named in `self.failing` fail, as a disk that goes away does. */
export const FAILING = `
  self.failing = [];
  for (const name of ${METHODS}) {
    const original = FileSystemSyncAccessHandle.prototype[name];
    FileSystemSyncAccessHandle.prototype[name] = function (...args) {
      if (self.failing.includes(name)) throw new DOMException("the disk is gone", "UnknownError");
      return original.apply(this, args);
    };
  }
`;

/**
 * A disk that may lose power: of what was written since the last flush, any part may be on it. Reads see everything.
 * What is kept back reaches the file with a flush, or when the handle is closed.
 */
export const volatile = (seed) => `
  {
    const { read, write, flush, truncate, getSize, close } = FileSystemSyncAccessHandle.prototype;
    let state = ${seed};
    const coin = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) & 0x10000) !== 0;
    const kept = new WeakMap();
    const of = (handle) => {
      if (!kept.has(handle)) kept.set(handle, { steps: [], size: getSize.call(handle) });
      return kept.get(handle);
    };
    const settle = (handle) => {
      const { steps } = of(handle);
      for (const { at, bytes, size } of steps) {
        if (bytes === undefined) truncate.call(handle, size);
        else if (write.call(handle, bytes, { at }) !== bytes.length) throw new Error("a short write below the test");
      }
      steps.length = 0;
    };
    Object.assign(FileSystemSyncAccessHandle.prototype, {
      write(from, { at }) {
        const file = of(this);
        const bytes = from.slice();
        file.steps.push({ at, bytes });
        file.size = Math.max(file.size, at + bytes.length);
        if (coin()) write.call(this, bytes, { at });
        return bytes.length;
      },
      truncate(size) {
        const file = of(this);
        file.steps.push({ size });
        file.size = size;
      },
      getSize() {
        return of(this).size;
      },
      read(into, { at }) {
        const { steps, size } = of(this);
        const room = into.subarray(0, Math.max(0, Math.min(into.length, size - at)));
        room.fill(0);
        read.call(this, room, { at });
        for (const step of steps) {
          if (step.bytes === undefined) {
            room.subarray(Math.min(room.length, Math.max(0, step.size - at))).fill(0);
            continue;
          }
          const [from, to] = [Math.max(at, step.at), Math.min(at + room.length, step.at + step.bytes.length)];
          if (from < to) room.set(step.bytes.subarray(from - step.at, to - step.at), from - at);
        }
        return room.length;
      },
      flush() {
        settle(this);
        return flush.call(this);
      },
      close() {
        settle(this);
        return close.call(this);
      },
    });
  }
`;

/**
 * Notes every change of a file in `self.steps`, and stops for good before the step numbered `self.stopBefore`: it asks
 * for `url`, which must never answer.
 */
export const stopping = (url) => `
  {
    ${NAMED}
    self.steps = [];
    self.stopBefore = undefined;
    for (const name of ["write", "flush", "truncate", "close"]) {
      const original = FileSystemSyncAccessHandle.prototype[name];
      FileSystemSyncAccessHandle.prototype[name] = function (...args) {
        if (self.steps.length === self.stopBefore) {
          const request = new XMLHttpRequest();
          request.open("GET", ${JSON.stringify(url)}, false);
          request.send();
        }
        self.steps.push(this.fileName + " " + name);
        return original.apply(this, args);
      };
    }
  }
`;

/** `navigator.storage.getDirectory` refuses, as in some private windows; in a page as in its workers. */
export const REFUSED = `
  navigator.storage.getDirectory = () => Promise.reject(new DOMException("not here", "SecurityError"));
`;
