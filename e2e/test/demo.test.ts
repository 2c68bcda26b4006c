import { once } from "node:events";
import { spawn } from "node:child_process";
import t from "tap";

interface Run {
  readonly said: () => string;
  readonly ended: Promise<unknown[]>;
  more(): Promise<unknown>;
  interrupt(): void;
}

function demo(): Run {
  const child = spawn(process.execPath, ["e2e/demo/main.ts", "--embedded"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return {
    said: () => text,
    ended: once(child, "close"),
    more: () => once(child.stdout, "data"),
    interrupt: () => child.kill("SIGINT"),
  };
}

t.test("the demo on its stand-ins ends with no wrong member and no write at the restart", async (t) => {
  const run = demo();
  const [code] = await run.ended;
  t.equal(code, 0);
  t.match(run.said(), /wrong members +0\n/);
  t.match(run.said(), /\(0 at the restart of the pusher\)/);
  t.match(run.said(), /firewall +update pg\.demo\.web\.a\.0: −10\.42\.0\.\d+ /);
});

t.test("Ctrl-C ends the demo in the middle", async (t) => {
  const run = demo();
  while (!run.said().includes("firewall       create")) await run.more();
  run.interrupt();
  const [code] = await run.ended;
  t.equal(code, 130);
  t.notMatch(run.said(), /Summary/);
});
