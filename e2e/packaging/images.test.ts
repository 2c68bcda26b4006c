import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import t from "tap";
import { buildImage, docker } from "../../scripts/image.ts";
import { localBase } from "../../scripts/local-base.ts";
import { skipWithoutDocker } from "../stack/docker.ts";
import { buildTestImages, TEST_TAG } from "./test-images.ts";

const skip = await skipWithoutDocker();
const SERVICES = ["watcher", "pusher"] as const;
const nameOf = (service: string): string => `podgate/${service}:${TEST_TAG}`;

t.setTimeout(200_000);

/** Nobody puts it there: what the build of an image must not take from the checkout. */
const CANARY = "canary-of-the-checkout-7d1f";
const PLANTED = ["services/watcher/dist/token", "services/pusher/dist/image.secret"];

if (skip === false) {
  for (const file of PLANTED) {
    mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    writeFileSync(file, CANARY);
  }
  try {
    for (const line of buildTestImages(...SERVICES)
      .trim()
      .split("\n"))
      t.comment(line);
  } finally {
    for (const file of PLANTED) rmSync(file);
  }
}

for (const service of SERVICES) {
  t.test(
    `the image of ${service} adds a bundle, a bill of materials and licenses to its base, nothing else`,
    { skip },
    async (t) => {
      const { name: base } = await localBase();
      const files = filesOf(nameOf(service));
      const below = filesOf(base);
      const added = [...files].filter((file) => !below.has(file)).toSorted();
      t.strictSame(added, [
        "podgate/",
        "podgate/LICENSE",
        "podgate/THIRD-PARTY-LICENSES.txt",
        "podgate/main.mjs",
        "podgate/sbom.cdx.json",
      ]);
      const tools = [...files].filter((file) => /(^|\/)s?bin\/[^/]+$/.test(file));
      t.strictSame(tools, ["nodejs/bin/node"], "the only program is Node");
    },
  );

  t.test(`the image of ${service} says what is in it`, { skip }, async (t) => {
    const bill = JSON.parse(read(nameOf(service), "/podgate/sbom.cdx.json")) as {
      bomFormat: string;
      metadata: { component: { name: string } };
      components: { name: string; version: string; purl: string }[];
    };
    t.match(bill, { bomFormat: "CycloneDX", metadata: { component: { name: `podgate-${service}` } } });
    const licenses = read(nameOf(service), "/podgate/THIRD-PARTY-LICENSES.txt");
    const own = new Set(Object.keys(manifest(`services/${service}`).dependencies));
    const named = new Set(
      bill.components.map(({ purl }) =>
        decodeURIComponent(purl.slice("pkg:npm/".length)).replace(/@[^@]+$/, ""),
      ),
    );
    for (const dependency of own)
      if (!dependency.startsWith("@podgate/")) t.ok(named.has(dependency), `${dependency} is in the bill`);
    for (const builder of ["tap", "esbuild", "typescript", "fast-check", "testcontainers"])
      t.notOk(named.has(builder), `${builder} is not`);
    t.match(licenses, "Permission is hereby granted");
    const { Config } = inspect(nameOf(service));
    t.equal(Config.User, "65532:65532", "a numeric user, as Kubernetes can check");
    t.match(Config.Labels, {
      "org.opencontainers.image.title": `podgate-${service}`,
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": manifest(".").version,
      "org.opencontainers.image.revision": /^([0-9a-f]{40}|unknown)$/,
    });
  });

  t.test(`the image of ${service} has no secret in any layer, nor in its history`, { skip }, async (t) => {
    const saved = spawnSync("docker", ["save", nameOf(service)], { maxBuffer: 1024 ** 3 }).stdout;
    t.ok(saved.length > 100_000_000);
    t.notOk(saved.includes(CANARY), "nothing of the checkout that is not meant for it");
    t.notOk(saved.includes("-----BEGIN PRIVATE KEY-----\nM"), "no key");
    const { Config } = inspect(nameOf(service));
    t.strictSame(Config.Env.map((entry) => entry.replace(/=.*/, "")).toSorted(), [
      "MALLOC_ARENA_MAX",
      "NODE_ENV",
      "NODE_OPTIONS",
      "PATH",
      "PODGATE_VERSION",
    ]);
    const history = docker(["history", "--no-trunc", "--format", "{{.CreatedBy}}", nameOf(service)]);
    t.notMatch(history, /password|secret|token/i);
  });

  t.test(`the same bundle gives the same layer of ${service}`, { skip }, async (t) => {
    const { name: base } = await localBase();
    const layers = [1, 2].map((time) => {
      const name = `podgate/${service}:${TEST_TAG}-${time}`;
      const args = { BASE_IMAGE: base, REVISION: String(time) };
      buildImage({ name, dockerfile: `services/${service}/Dockerfile`, context: ".", args, fresh: true });
      t.teardown(() => docker(["rmi", name]));
      return inspect(name).RootFS.Layers;
    });
    t.equal(layers[0]?.length, 2, "one on top of the base");
    t.strictSame(layers[0], layers[1]);
  });
}

interface Inspected {
  readonly Config: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly RootFS: { readonly Layers: readonly string[] };
}

function inspect(image: string): Inspected {
  return (JSON.parse(docker(["image", "inspect", image])) as [Inspected])[0];
}

/** Paths of everything in an image; what the engine itself puts into each container is left out. */
function filesOf(image: string): Set<string> {
  const id = docker(["create", "--pull=never", image, "x"]);
  try {
    const exported = spawnSync("docker", ["export", id], { maxBuffer: 1024 ** 3 });
    const listed = spawnSync("tar", ["-t"], {
      input: exported.stdout,
      encoding: "utf8",
      maxBuffer: 1024 ** 2,
    });
    const engine = /^(dev|proc|sys)\/|^\.dockerenv$|^etc\/(hostname|hosts|resolv\.conf|mtab)$/;
    return new Set(listed.stdout.split("\n").filter((file) => file !== "" && !engine.test(file)));
  } finally {
    docker(["rm", id]);
  }
}

function read(image: string, file: string): string {
  const code = `process.stdout.write(fs.readFileSync(${JSON.stringify(file)}))`;
  return docker([
    "run",
    "--rm",
    "--pull=never",
    "--network=none",
    "--entrypoint=/nodejs/bin/node",
    image,
    "-e",
    code,
  ]);
}

function manifest(folder: string): { version: string; dependencies: Record<string, string> } {
  return JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as ReturnType<typeof manifest>;
}
