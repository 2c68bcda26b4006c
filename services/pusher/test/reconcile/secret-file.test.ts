import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { certificatesIn, FileFault, tokenIn } from "../../src/reconcile/secret-file.ts";

t.test("a token swapped by the symlink of a mounted Secret is the next one read", (t) => {
  const mount = t.testdir();
  const version = (name: string, token: string): void => {
    mkdirSync(join(mount, name));
    writeFileSync(join(mount, name, "token"), token);
    symlinkSync(name, join(mount, `${name}.link`));
    renameSync(join(mount, `${name}.link`), join(mount, "..data"));
  };
  version("..1", "first\n");
  symlinkSync(join("..data", "token"), join(mount, "token"));
  t.equal(tokenIn(join(mount, "token")), "first");
  version("..2", "second\n");
  t.equal(tokenIn(join(mount, "token")), "second");
  t.end();
});

t.test("a file that holds no token is named, and what it holds is not", (t) => {
  const faults: [string, RegExp][] = [
    ["", /token file f is empty/],
    ["canary one", /token file f holds more than a token/],
    ["canary\nHost: x", /holds more than a token/],
  ];
  for (const [content, fault] of faults) {
    t.throws(() => tokenIn("f", () => content), fault);
    t.throws(() => tokenIn("f", () => content), FileFault);
    try {
      tokenIn("f", () => content);
    } catch (error) {
      t.notMatch(String(error), /canary/);
    }
  }
  t.throws(() => tokenIn("/nowhere/token"), /token file \/nowhere\/token cannot be read \(ENOENT\)/);
  t.end();
});

t.test("a CA file must hold a certificate", (t) => {
  t.throws(() => certificatesIn("ca.pem", () => "nothing"), /CA file ca.pem holds no certificate/);
  t.throws(() => certificatesIn("/nowhere/ca.pem"), /CA file \/nowhere\/ca.pem cannot be read \(ENOENT\)/);
  t.end();
});
