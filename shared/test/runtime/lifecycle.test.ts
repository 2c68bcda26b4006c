import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";

const PROGRAM = fileURLToPath(new URL("lifecycle-program.ts", import.meta.url));

/** Starts the program; `on(sentence)` resolves when a log line says it. */
function start(t: Test, ...args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  t.teardown(() => child.kill("SIGKILL"));
  const lines: string[] = [];
  const waiting: { sentence: string; resolve: () => void }[] = [];
  let noise = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (noise += text));
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const { sentence, resolve } of waiting) if (line.includes(sentence)) resolve();
  });
  const ended = once(child, "close").then(([code, signal]: unknown[]) => ({
    code,
    signal,
    lines,
    log: lines.join("\n"),
    noise,
  }));
  const on = (sentence: string): Promise<void> =>
    new Promise((resolve) => {
      if (lines.some((line) => line.includes(sentence))) resolve();
      else waiting.push({ sentence, resolve });
    });
  return { child, on, ended };
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  t.test(`${signal} lets the service finish what is in flight and ends it with 0`, async (t) => {
    const { child, on, ended } = start(t, "run", "finishes");
    await on("running");
    child.kill(signal);
    const { code, lines, noise } = await ended;
    t.equal(code, 0);
    t.same(
      lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
      ["running", "stopping: finishing what is in flight", "in flight: done", "stopped"],
    );
    t.equal(noise, "");
  });
}

t.test(
  "a signal before the service runs ends it as a signal would, also as the first process of a container",
  async (t) => {
    for (const [signal, expected] of [
      ["SIGTERM", 143],
      ["SIGINT", 130],
    ] as const) {
      const { child, on, ended } = start(t, "start");
      await on("starting");
      child.kill(signal);
      // An exit code: the process ended itself, which the kernel does not do to a first process.
      t.match(await ended, { code: expected, signal: null });
    }
  },
);

t.test("a second signal ends at once, with 1", async (t) => {
  const { child, on, ended } = start(t, "run", "hangs");
  await on("running");
  child.kill("SIGTERM");
  await on("hanging");
  child.kill("SIGINT");
  const { code, log } = await ended;
  t.equal(code, 1);
  t.match(log, "told to stop a second time");
});

t.test("a service that ends by itself ends with 0", async (t) => {
  const { code, log } = await start(t, "run", "ends").ended;
  t.equal(code, 0);
  t.match(log, "stopped");
});

for (const behavior of ["fails", "throws", "rejects"]) {
  t.test(`a service that ${behavior} is logged without stack or secret and ends with 1`, async (t) => {
    const { code, lines, log, noise } = await start(t, "run", behavior).ended;
    t.equal(code, 1);
    t.match(JSON.parse(lines.at(-1) ?? ""), { level: "error", error: "Error: lost https://***@fw/" });
    t.notMatch(log + noise, "hunter2");
    t.notMatch(log + noise, /\bat .*\.ts:\d+/);
  });
}

t.test("a fault of the user's is one plain message and ends with 2", async (t) => {
  const { code, noise } = await start(t, "run", "user").ended;
  t.equal(code, 2);
  t.equal(noise, "podgate-test: lease.seconds: 1: must be at least 3\n");
});

t.test("a command that crashes says so in one line without a secret", async (t) => {
  const { code, noise } = await start(t, "crash").ended;
  t.equal(code, 1);
  t.equal(noise, "podgate-test: Error: lost https://***@fw/\n");
});
