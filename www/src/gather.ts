/** Files from a picker or from a drop, folders walked, each with the name it is stored under. */

import type { Incoming } from "./intake.js";

/** What a file input holds. Files of a picked folder are named by their path in it. */
export function fromInput(input: HTMLInputElement): Incoming[] {
  return Array.from(input.files ?? [], (file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/** What was dropped. It all has to be asked for before anything is awaited: the list is emptied with the event. */
export async function fromDrop(transfer: DataTransfer): Promise<Incoming[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  const plain = Array.from(transfer.files, (file) => ({ name: file.name, file }));
  // What a script put there has no entries, only files.
  if (entries.length === 0) return plain;
  const files: Incoming[] = [];
  for (const entry of entries) await walk(entry, files);
  return files;
}

async function walk(entry: FileSystemEntry, files: Incoming[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    files.push({ name: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a folder in parts, the last of which is empty.
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return;
    for (const child of part) await walk(child, files);
  }
}
