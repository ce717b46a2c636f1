/**
 * Remote write: bodies from the wire, through decompression and protobuf, into a real head. What is refused leaves
 * nothing behind, what is accepted is the same in the head and in an appender over a Map, and the next request works.
 */
import { silentLogger } from "../../../src/base/env.ts";
import type { WriteMemory } from "../../../src/kernels/write-memory.ts";
import { Matcher } from "../../../src/model/matcher.ts";
import { histogramProblem } from "../../../src/model/validate-histogram.ts";
import { readHistograms } from "../../../src/remote/request-histograms.ts";
import { readExemplars, readLabels } from "../../../src/remote/request-labels.ts";
import type { WriteHeaders } from "../../../src/remote/write-protocol.ts";
import { WriteReceiver } from "../../../src/remote/write-receiver.ts";
import { WriteRequest } from "../../../src/remote/write-request.ts";
import type { Appender } from "../../../src/storage/appender.ts";
import { ManualClock } from "../../../src/testkit/manual-clock.ts";
import { type TestHead, testHead } from "../../head/fixture.ts";
import { MemoryAppender } from "../../remote/memory-appender.ts";
import { double, exemplar, field, label, labels, message, sample, series } from "../../remote/messages.ts";
import { codecs } from "../../tsdb/wal-world.ts";
import { check, type FuzzTarget } from "../target.ts";
import { readHead } from "./head-contents.ts";

const headers: WriteHeaders = { contentType: "application/x-protobuf", contentEncoding: "snappy" };
const clock = new ManualClock();
const now = clock.nowMs();
const stale = 0x7ff0000000000002n;
/** Room for a batch, for a request to be taken apart in, and a little. */
const headPages = 400;
const everything = [new Matcher("=~", "__name__", ".*")];

const messages = [
  message(series(labels({ __name__: "a", job: "x" }), sample(now, 1))),
  message(
    series(
      labels({ __name__: "a", job: "x" }),
      sample(now, 1),
      sample(now + 1000, stale),
      exemplar(now, 2, { id: "7" }),
    ),
    series(
      labels({ __name__: "b_total", instance: "host:80", zone: "ä" }),
      sample(now + 5, -0),
      sample(now + 6, 0.1),
    ),
    field(3, [0x08, 1, ...field(2, "b_total"), ...field(4, "help"), ...field(5, "s")]),
  ),
  message(
    series(label("z", "1"), sample(now, 1), label("__name__", "m"), label("empty", ""), sample(now + 1, 2)),
    series(
      labels({ __name__: "m" }),
      field(15, "x"),
      [0x7b, 0x7b, 0x7c, 0x7c],
      sample(now, 5),
      double(15, 1n),
    ),
    series(
      labels({ __name__: "long", text: "x".repeat(300) }),
      sample(now - 60_000, 5),
      sample(now - 61_000, 6),
    ),
  ),
];
/** What the head knows before an input comes. */
const before = codecs.snappy.compress(messages[0]);
/** And what must go in afterwards, whatever came. */
const after = codecs.snappy.compress(
  message(series(labels({ __name__: "a", job: "x" }), sample(now + 500_000, 1))),
);

interface Receiver {
  receive(body: Uint8Array): number;
  contents(): string;
}

function receiverOver(appender: Appender, contents: () => string, memory?: WriteMemory): Receiver {
  const receiver = new WriteReceiver(
    { clock, logger: silentLogger, snappy: codecs.snappy },
    appender,
    memory,
  );
  return { receive: (body) => receiver.receive(body, headers).status, contents };
}

function headReceiver(): Receiver & { readonly head: TestHead } {
  const head = testHead({ exemplarsMax: 100 }, { pages: headPages });
  const contents = () => readHead(head.reader, everything);
  return { ...receiverOver(head.appender, contents, head.head.newWriteMemory()), head };
}

function memoryReceiver(): Receiver {
  const appender = new MemoryAppender();
  const contents = () =>
    Object.entries(appender.contents(String))
      .filter(([, samples]) => samples !== "")
      .map(([labels, samples]) => `${labels} ${samples}`)
      .sort()
      .join("\n");
  return receiverOver(appender, contents);
}

/** Sends a body between two good ones; returns whether it was accepted. */
function send(body: Uint8Array): boolean {
  const [inHead, inMap] = [headReceiver(), memoryReceiver()].map((receiver) => {
    check(receiver.receive(before) === 204, "the request before was refused");
    const was = receiver.contents();
    const status = receiver.receive(body);
    check(status === 204 || status === 400, `status ${status}`);
    const contents = receiver.contents();
    check(status === 204 || contents === was, "a refused request left something behind");
    check(receiver.receive(body) !== 500, "the same request again is answered with 500");
    const last = receiver.receive(after);
    return { status, contents, last };
  });
  check(inHead.status === inMap.status, `status ${inHead.status} with a head, ${inMap.status} with a map`);
  check(inHead.contents === inMap.contents, `the head has ${inHead.contents}, the map ${inMap.contents}`);
  check(inHead.last === inMap.last, `afterwards ${inHead.last} with a head, ${inMap.last} with a map`);
  return inHead.status === 204;
}

const request = new WriteRequest();

/** The decoder alone. */
function decodeAll(bytes: Uint8Array): boolean {
  request.decode(bytes);
  const { series, samples, firstSample, exemplars, histograms } = request;
  check(
    firstSample[series] === samples && samples * 2 <= bytes.length,
    `${samples} samples, the last series ends otherwise`,
  );
  for (let i = 0; i < series; i++) {
    const { labels, problem } = readLabels(request, i);
    check(problem !== "" || labels.size > 0, "a good series without labels");
    check(readExemplars(request, i).length === exemplars[i], "exemplars are missing");
    const native = readHistograms(request, i);
    check(native.length === histograms[i], "native histograms are missing");
    for (const { histogram } of native) histogramProblem(histogram);
  }
  return true;
}

const words = ["__name__", "\n\x05\n\x01a\x12", "\x12\x02\x10\x01", "\x1a", '"'];

export const remoteWriteTargets: readonly FuzzTarget[] = [
  {
    name: "remote-write",
    share: 1,
    seeds: () => messages,
    dictionary: words,
    run: decodeAll,
  },
  {
    name: "remote-write-message",
    share: 0.1,
    seeds: () => messages,
    dictionary: words,
    run: (bytes) => send(codecs.snappy.compress(bytes)),
  },
  {
    name: "remote-write-body",
    share: 0.1,
    seeds: () => messages.map((bytes) => codecs.snappy.compress(bytes)),
    run: send,
  },
];
