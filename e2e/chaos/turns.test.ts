import t from "tap";
import type { LogLine } from "../stack/service.ts";
import { takeovers, turnsOf } from "./turns.ts";

const at = (second: number): number => Date.UTC(2026, 0, 1, 0, 0, second);
const line = (second: number, msg: string, more: object = {}): LogLine => ({
  level: "info",
  time: new Date(at(second)).toISOString(),
  msg,
  ...more,
});
const held = (second: number, more: object = { device: "fw:443" }): LogLine =>
  line(second, "the lease is held from now on", more);
const services = new Map([
  ["pusher-1", { log: [held(1), held(2, {}), held(9)] }],
  ["pusher-2", { log: [held(4), line(8, "the lease was lost"), held(20)] }],
  ["watcher-a-1", { log: [line(1, "leading"), line(7, "leading")] }],
  ["watcher-a-2", { log: [line(12, "leading")] }],
  ["watcher-b-1", { log: [line(2, "leading")] }],
]);

t.test("who does the work is told by the services' own logs, in order", async (t) => {
  t.strictSame(
    turnsOf(services, "pusher").map(({ service }) => service),
    ["pusher-1", "pusher-2", "pusher-1", "pusher-2"],
    "the lease of the clusters is no device's",
  );
  t.strictSame(turnsOf(services, "watcher-b"), [{ at: at(2), service: "watcher-b-1" }]);
});

t.test("a takeover is by another one, and of the time that is asked for", async (t) => {
  t.strictSame(takeovers(services, at(0)), { pushers: 3, watchers: 1 });
  t.strictSame(takeovers(services, at(5)), { pushers: 2, watchers: 1 });
  t.strictSame(takeovers(services, at(13)), { pushers: 1, watchers: 0 });
});
