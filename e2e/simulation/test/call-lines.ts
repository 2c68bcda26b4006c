import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SOURCES = ["services/*/src/**/*.ts", "shared/src/bus/{publisher,settle,reader,topology}.ts"];

/** A call of a method of a port, as the services write them. */
const CALL =
  /(?:\bbus\.(?:streamInfo|createStream|publish|readMessage|lastMessage|consume|createBucket)|(?:\bbucket|[bB]ucket\(\)\))\.(?:get|put|create|update|delete|watch)|transport\.(?:open|send))\(/;

/** Calls that no life of a service makes within the scenario, and why. */
const ELSEWHERE: readonly (readonly [place: string, why: string])[] = [
  ["pusher/src/commands/", "a command: it ends with its one call"],
  ["watcher/src/check-", "a command"],
  ["watcher/src/phase-change.ts", "a command"],
  ["pusher/src/target-firewall.ts send: (request) =>", "HTTPS instead of the stand-in"],
  ["pusher/src/reconcile/approvals.ts", "approvals are cleared away after a week"],
  ["pusher/src/reconcile/cluster-decisions.ts .then((bucket) => bucket.delete", "after forget-cluster"],
  ["pusher/src/reconcile/status-writer.ts await bucket.delete", "a target that is not configured any more"],
  ["pusher/src/reconcile/lease-board.ts const found", "an announcement that nobody took back"],
  ["pusher/src/reconcile/lease-board.ts if (found", "likewise"],
];

/** `reconcile/lease.ts:156` of every line that calls into the world and is not excused, as sites name them. */
export function callLines(): string[] {
  return globSync(SOURCES, { cwd: ROOT })
    .toSorted()
    .flatMap((file) =>
      readFileSync(join(ROOT, file), "utf8")
        .split("\n")
        .flatMap((line, at) =>
          isCall(file, line.trim()) ? [`${file.replace(/^.*?src\//, "")}:${String(at + 1)}`] : [],
        ),
    );
}

function isCall(file: string, line: string): boolean {
  if (!CALL.test(line) || /^(?:\/\/|\*|\/\*)/.test(line)) return false;
  return !ELSEWHERE.some(([place]) => {
    const [path = "", ...text] = place.split(" ");
    return file.includes(path) && line.startsWith(text.join(" "));
  });
}
