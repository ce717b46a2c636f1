import { expect, test } from "vitest";
import { encodeTombstones } from "./file.ts";
import type { Interval } from "./intervals.ts";
import { salvageTombstones } from "./salvage-tombstones.ts";
import { Tombstones } from "./tombstones.ts";

const begin = 1_700_000_000_000;
const end = begin + 7_200_000;
/** Series 1 to 400 with an interval each, but for every fifth. */
const written = new Map(
  Array.from({ length: 400 }, (_, i): [number, Interval[]] => [
    i + 1,
    [{ mint: begin + 1000 * i, maxt: begin + 1000 * i + 500 }],
  ]).filter(([ref]) => ref % 5 !== 0),
);
const fits = (ref: number, { mint, maxt }: Interval) =>
  ref >= 1 && ref <= 400 && mint <= maxt && begin <= mint && maxt < end;
const file = encodeTombstones(Tombstones.of(written));
const all = Tombstones.of(written).entries();

test("one changed byte anywhere costs nothing", () => {
  for (let at = 0; at < file.length; at += at < 40 || at > file.length - 40 ? 1 : 11) {
    for (const xor of [1, 0x80, 0xff]) {
      const bytes = file.slice();
      bytes[at] ^= xor;
      const { tombstones, isWhole } = salvageTombstones(bytes, "tombstones", fits);
      expect(isWhole, `byte ${at}`).toBe(true);
      expect(tombstones.entries(), `byte ${at}`).toEqual(all);
    }
  }
});

test("a long file is not put right by a byte", () => {
  const long = encodeTombstones(
    Tombstones.of(new Map(Array.from({ length: 6000 }, (_, i) => [i + 1, [{ mint: begin, maxt: begin }]]))),
  );
  long[5000] ^= 1;
  expect(salvageTombstones(long, "tombstones", () => true).isWhole).toBe(false);
});

test("a header that is damaged throughout costs nothing", () => {
  const bytes = file.slice();
  bytes.fill(0xee, 0, 5);
  expect(salvageTombstones(bytes, "tombstones", fits)).toMatchObject({ isWhole: true });
});

test.each([8, 40, 1000])("%i bytes overwritten: what lies before and behind is kept", (length) => {
  for (let at = 5; at + length < file.length - 4; at += 13) {
    const bytes = file.slice();
    bytes.fill(0, at, at + length);
    const { tombstones, isWhole } = salvageTombstones(bytes, "tombstones", fits);
    expect(isWhole, `from ${at}`).toBe(false);
    const known = new Map(all);
    // Where the zeros end within an interval's end, that one is not what it was.
    const wrong = tombstones.entries().filter(([ref, kept]) => !isSame(kept, known.get(ref)));
    expect(wrong.length, `from ${at}`).toBeLessThanOrEqual(1);
    // An entry takes 13 or 14 bytes; those at both ends may go too.
    expect(all.length - tombstones.total, `from ${at}`).toBeLessThanOrEqual(Math.ceil(length / 13) + 3);
  }
});

function isSame(a: readonly Interval[], b: readonly Interval[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

test("a file that ends early keeps what it has", () => {
  for (let length = 0; length < file.length; length += 7) {
    const { tombstones, isWhole } = salvageTombstones(file.slice(0, length), "tombstones", fits);
    expect(isWhole, `${length} bytes`).toBe(false);
    expect(tombstones.entries(), `${length} bytes`).toEqual(all.slice(0, tombstones.total));
    expect(tombstones.total, `${length} bytes`).toBeGreaterThanOrEqual(Math.floor((length - 9) / 14));
  }
});

test("what makes the checksum right by a byte but names what the block does not have is not believed whole", () => {
  const strange = encodeTombstones(Tombstones.of(new Map([[999, [{ mint: begin, maxt: begin }]]])));
  strange[7] ^= 1;
  const salvaged = salvageTombstones(strange, "tombstones", fits);
  expect([salvaged.isWhole, salvaged.tombstones.total]).toEqual([false, 0]);
});
