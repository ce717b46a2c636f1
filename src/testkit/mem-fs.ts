/**
 * A file system in memory that can lose power.
 *
 * It knows what is durable: the content of a file as of its last sync, the names in a directory as of its last syncDir.
 * {@link MemFs.clone} copies the whole state; {@link MemFs.crash} copies what a machine might find after a power cut.
 * Directories made by `makeDir` are durable at once, as its contract says.
 */
import type { Random } from "../base/env.ts";
import type { File, FileStat, Fs, OpenMode } from "../base/fs.ts";
import { FsError } from "./fs-error.ts";

/** What the power cut took: nothing (only the process died), everything not synced, or as a coin decides. */
export type Unsynced = "kept" | "lost" | Random;

/** A change of a file since its last sync: bytes written at a position, or a new size. */
type Change = { readonly position: number; readonly bytes: Uint8Array } | { readonly size: number };

/** Stands for the time of a change: every change of any file is a millisecond later than the one before. */
let changesEver = 0;

class FileNode {
  mtimeMs = ++changesEver;
  content = new Uint8Array();
  durable = new Uint8Array();
  /** What turns `durable` into `content`. */
  changes: Change[] = [];

  apply(change: Change): void {
    this.content = changed(this.content, change);
    this.changes.push(change);
    this.mtimeMs = ++changesEver;
  }

  sync(): void {
    this.durable = this.content;
    this.changes = [];
  }

  copy(): FileNode {
    const node = new FileNode();
    node.content = this.content;
    node.durable = this.durable;
    node.changes = [...this.changes];
    return node;
  }

  /** Some beginning of the changes survives, of the last of them perhaps only a part. */
  crash(unsynced: Unsynced): FileNode {
    const node = new FileNode();
    node.content = unsynced === "kept" ? this.content : this.durable;
    if (typeof unsynced === "object" && this.changes.length > 0) {
      const survivors = below(unsynced, this.changes.length + 1);
      for (const change of this.changes.slice(0, survivors)) node.content = changed(node.content, change);
      const torn = this.changes[survivors];
      if (torn !== undefined && "bytes" in torn) {
        const bytes = torn.bytes.subarray(0, below(unsynced, torn.bytes.length + 1));
        if (bytes.length > 0) node.content = changed(node.content, { position: torn.position, bytes });
      }
    }
    node.durable = node.content;
    return node;
  }
}

class DirNode {
  entries = new Map<string, Node>();
  durable = new Map<string, Node>();

  sync(): void {
    this.durable = new Map(this.entries);
  }
}

type Node = FileNode | DirNode;

/** Content is never changed in place: clones share it. */
function changed(content: Uint8Array<ArrayBuffer>, change: Change): Uint8Array<ArrayBuffer> {
  const size =
    "size" in change ? change.size : Math.max(content.length, change.position + change.bytes.length);
  const result = new Uint8Array(size);
  result.set(content.subarray(0, Math.min(size, content.length)));
  if ("bytes" in change) result.set(change.bytes, change.position);
  return result;
}

function below(random: Random, bound: number): number {
  return Math.floor((random.u32() / 0x100000000) * bound);
}

export class MemFs implements Fs {
  readonly #root: DirNode;

  constructor() {
    this.#root = new DirNode();
  }

  /** An independent copy of the state, with what is and is not durable. Open files stay with the original. */
  clone(): MemFs {
    return MemFs.#from(this.#root, (node) => node.copy(), "both");
  }

  /** What is there after the machine (or with "kept" only the process) stopped now. */
  crash(unsynced: Unsynced): MemFs {
    return MemFs.#from(this.#root, (node) => node.crash(unsynced), unsynced);
  }

  static #from(root: DirNode, copyFile: (node: FileNode) => FileNode, names: Unsynced | "both"): MemFs {
    // A node with several names stays one node.
    const copies = new Map<Node, Node>();
    const copy = (node: Node): Node => {
      const known = copies.get(node);
      if (known !== undefined) return known;
      if (node instanceof FileNode) {
        const file = copyFile(node);
        copies.set(node, file);
        return file;
      }
      const dir = new DirNode();
      copies.set(node, dir);
      for (const [name, child] of survivingNames(node, names)) dir.entries.set(name, copy(child));
      const durable = names === "both" ? node.durable : new Map<string, Node>();
      for (const [name, child] of durable) dir.durable.set(name, copy(child));
      if (names !== "both") dir.sync();
      return dir;
    };
    const fs = new MemFs();
    const copied = copy(root) as DirNode;
    fs.#root.entries = copied.entries;
    fs.#root.durable = copied.durable;
    return fs;
  }

  open(path: string, mode: OpenMode): File {
    const { dir, name } = this.#parent(path, "open");
    let node = dir.entries.get(name);
    if (node instanceof DirNode) throw new FsError("EISDIR", "open", path);
    if (mode === "create" && node !== undefined) throw new FsError("EEXIST", "open", path);
    if (node === undefined) {
      if (mode === "read" || mode === "write") throw new FsError("ENOENT", "open", path);
      node = new FileNode();
      dir.entries.set(name, node);
    } else if (mode === "replace" && node.content.length > 0) {
      node.apply({ size: 0 });
    }
    return new MemFile(path, node, mode !== "read");
  }

  stat(path: string): FileStat | undefined {
    const node = this.#find(path);
    if (node === undefined) return undefined;
    if (node instanceof DirNode) return { sizeBytes: 0, isDirectory: true, mtimeMs: 0 };
    return { sizeBytes: node.content.length, isDirectory: false, mtimeMs: node.mtimeMs };
  }

  list(dir: string): string[] {
    return [...this.#dir(dir, "scandir").entries.keys()].sort();
  }

  readFile(path: string): Uint8Array {
    const node = this.#find(path);
    if (node === undefined) throw new FsError("ENOENT", "open", path);
    if (node instanceof DirNode) throw new FsError("EISDIR", "read", path);
    return node.content.slice();
  }

  makeDir(dir: string): void {
    let at = this.#root;
    for (const name of segments(dir)) {
      let child = at.entries.get(name);
      if (child === undefined) {
        child = new DirNode();
        at.entries.set(name, child);
        at.durable.set(name, child);
      }
      if (child instanceof FileNode) throw new FsError("ENOTDIR", "mkdir", dir);
      at = child;
    }
  }

  rename(from: string, to: string): void {
    const source = this.#parent(from, "rename");
    const target = this.#parent(to, "rename");
    const node = source.dir.entries.get(source.name);
    if (node === undefined) throw new FsError("ENOENT", "rename", from);
    const replaced = target.dir.entries.get(target.name);
    if (replaced === node) return;
    if (replaced instanceof DirNode) {
      if (node instanceof FileNode) throw new FsError("EISDIR", "rename", from);
      if (replaced.entries.size > 0) throw new FsError("ENOTEMPTY", "rename", from);
    } else if (replaced !== undefined && node instanceof DirNode) {
      throw new FsError("ENOTDIR", "rename", from);
    }
    source.dir.entries.delete(source.name);
    target.dir.entries.set(target.name, node);
  }

  link(existing: string, path: string): void {
    const node = this.#find(existing);
    if (!(node instanceof FileNode)) throw new FsError("ENOENT", "link", existing);
    const { dir, name } = this.#parent(path, "link");
    if (dir.entries.has(name)) throw new FsError("EEXIST", "link", path);
    dir.entries.set(name, node);
  }

  removeFile(path: string): void {
    const { dir, name } = this.#parent(path, "unlink");
    if (dir.entries.get(name) instanceof DirNode) throw new FsError("EISDIR", "unlink", path);
    dir.entries.delete(name);
  }

  removeDir(path: string): void {
    if (this.#find(path) === undefined) return;
    const { dir, name } = this.#parent(path, "rmdir");
    dir.entries.delete(name);
  }

  syncDir(path: string): void {
    this.#dir(path, "fsync").sync();
  }

  #find(path: string): Node | undefined {
    let at: Node | undefined = this.#root;
    for (const name of segments(path)) {
      if (!(at instanceof DirNode)) return undefined;
      at = at.entries.get(name);
    }
    return at;
  }

  #dir(path: string, syscall: string): DirNode {
    const node = this.#find(path);
    if (node === undefined) throw new FsError("ENOENT", syscall, path);
    if (node instanceof FileNode) throw new FsError("ENOTDIR", syscall, path);
    return node;
  }

  #parent(path: string, syscall: string): { dir: DirNode; name: string } {
    const names = segments(path);
    const name = names.pop();
    if (name === undefined) throw new FsError("EISDIR", syscall, path);
    return { dir: this.#dir(names.join("/"), syscall), name };
  }
}

function segments(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}

/** With a coin: every name that was added or removed since the last sync has its own. */
function survivingNames(dir: DirNode, names: Unsynced | "both"): Map<string, Node> {
  if (names === "kept" || names === "both") return dir.entries;
  if (names === "lost") return dir.durable;
  const result = new Map<string, Node>();
  for (const name of new Set([...dir.durable.keys(), ...dir.entries.keys()])) {
    const before = dir.durable.get(name);
    const after = dir.entries.get(name);
    const node = before === after || names.u32() % 2 === 0 ? after : before;
    if (node !== undefined) result.set(name, node);
  }
  return result;
}

class MemFile implements File {
  readonly path: string;
  readonly #node: FileNode;
  readonly #isWritable: boolean;
  #isOpen = true;

  constructor(path: string, node: FileNode, isWritable: boolean) {
    this.path = path;
    this.#node = node;
    this.#isWritable = isWritable;
  }

  readAt(into: Uint8Array, position: number): number {
    this.#check("read");
    const available = this.#node.content.subarray(position, position + into.length);
    into.set(available);
    return available.length;
  }

  writeAt(bytes: Uint8Array, position: number): void {
    this.#check("write");
    this.#node.apply({ position, bytes: bytes.slice() });
  }

  size(): number {
    this.#check("fstat");
    return this.#node.content.length;
  }

  truncate(sizeBytes: number): void {
    this.#check("ftruncate");
    this.#node.apply({ size: sizeBytes });
  }

  sync(): void {
    this.#check("fsync");
    this.#node.sync();
  }

  close(): void {
    this.#isOpen = false;
  }

  #check(syscall: string): void {
    const writes = syscall === "write" || syscall === "ftruncate";
    if (!this.#isOpen || (writes && !this.#isWritable)) throw new FsError("EBADF", syscall, this.path);
  }
}
