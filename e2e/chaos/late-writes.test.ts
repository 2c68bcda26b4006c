import t from "tap";
import { lateWrites, type Write } from "./late-writes.ts";

const turns = [
  { at: 1000, service: "one" },
  { at: 2000, service: "two" },
  { at: 9000, service: "one" },
];
const write = (id: number, service: string, appliedAt: number): Write => ({
  id,
  service,
  appliedAt,
  path: "cmdb/firewall/addrgrp/g",
  changed: true,
});

t.test("who writes while he has the device is in time, also when he has it again", async (t) => {
  const writes = [write(1, "one", 1000), write(2, "one", 2000), write(3, "two", 8000), write(4, "one", 9500)];
  t.strictSame(lateWrites(turns, writes, []), []);
});

t.test(
  "who writes when another has the device is late, and what he did lasts until it is undone",
  async (t) => {
    const writes = [write(7, "one", 2500), write(8, "two", 9100)];
    const change = { name: "g", added: [], removed: [] };
    const changes = [
      { ...change, at: 2400, request: 6, added: ["a"] },
      { ...change, at: 2500, request: 7, added: ["b", "c"], removed: ["a"] },
      { ...change, at: 2600, request: 9, name: "other", removed: ["c"] },
      { ...change, at: 2700, request: 10, removed: ["b"] },
      { ...change, at: 3100, request: 11, added: ["a"] },
    ];
    t.match(lateWrites(turns, writes, changes), [
      { id: 7, lateMs: 500, undoneMs: 600 },
      { id: 8, lateMs: 100, undoneMs: 0 },
    ]);
  },
);
