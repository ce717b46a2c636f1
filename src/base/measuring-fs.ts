/** A file system for finding out how much something would write: it reads what is there, and only counts what is written. */
import type { File, Fs, OpenMode } from "./fs.ts";

export interface MeasuringFs {
  readonly fs: Fs;
  /** The bytes of all files that were opened for writing. */
  readonly writtenBytes: number;
}

export function measuringFs(real: Fs): MeasuringFs {
  let writtenBytes = 0;
  const counted = (path: string): File => {
    let sizeBytes = 0;
    return {
      path,
      readAt: () => 0,
      writeAt(bytes, position) {
        const grown = Math.max(sizeBytes, position + bytes.length);
        writtenBytes += grown - sizeBytes;
        sizeBytes = grown;
      },
      size: () => sizeBytes,
      truncate(bytes) {
        writtenBytes += bytes - sizeBytes;
        sizeBytes = bytes;
      },
      sync() {},
      close() {},
    };
  };
  const fs: Fs = {
    open: (path: string, mode: OpenMode) => (mode === "read" ? real.open(path, mode) : counted(path)),
    stat: (path) => real.stat(path),
    list: (dir) => real.list(dir),
    readFile: (path) => real.readFile(path),
    makeDir() {},
    rename() {},
    link() {},
    removeFile() {},
    removeDir() {},
    syncDir() {},
  };
  return {
    fs,
    get writtenBytes() {
      return writtenBytes;
    },
  };
}
