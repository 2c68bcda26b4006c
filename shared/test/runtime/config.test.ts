import t from "tap";
import { z } from "zod";
import { loadConfig, showConfig } from "../../src/runtime/config.ts";
import { UserError } from "../../src/runtime/errors.ts";

const schema = z.strictObject({
  cluster: z
    .string()
    .regex(/^[a-z]\w*$/, "must begin with a small letter")
    .describe("its unique name"),
  nats: z.strictObject({
    servers: z
      .array(z.string().regex(/^nats:\/\/[^/@]+$/, "must look like nats://host:4222"))
      .min(1)
      .describe("servers"),
    user: z.string().min(1).optional(),
    passwordFile: z.string().min(1).optional().describe("file with the password"),
  }),
  lease: z.strictObject({ seconds: z.int().min(3).max(300).default(10) }).prefault({}),
  perSecond: z.number().positive().default(4),
  replicas: z.union([z.literal(1), z.literal(3)]).default(1),
  level: z.enum(["debug", "info", "error"]).default("info"),
  repair: z.boolean().default(true),
  groups: z
    .array(z.strictObject({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }))
    .default([]),
});

const GOOD = { cluster: "a", nats: { servers: ["nats://n:4222"] } };

function load(text: string, env: Record<string, string> = {}): z.infer<typeof schema> {
  return loadConfig(schema, { file: "podgate.yaml", env, read: () => text });
}

/** The lines of the message below its heading. */
function faults(text: string, env: Record<string, string> = {}): string[] {
  try {
    load(text, env);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

const json = (changes: object): string => JSON.stringify({ ...GOOD, ...changes });

t.test("a file is read, and what it leaves out has its default", async (t) => {
  t.match(load("cluster: a\nnats:\n  servers: [nats://n:4222]\n"), {
    ...GOOD,
    lease: { seconds: 10 },
    perSecond: 4,
    groups: [],
  });
});

t.test("every kind of fault names its field, shows the value and says what is wanted", async (t) => {
  const table: [object, string][] = [
    [{ cluster: undefined }, "cluster: missing: must be text (its unique name)"],
    [{ cluster: 7 }, "cluster: 7: must be text; put it in quotes"],
    [{ cluster: null }, "cluster: empty: must be text"],
    [{ cluster: "A" }, 'cluster: "A": must begin with a small letter'],
    [{ nats: { servers: [] } }, "nats.servers: []: must be a list of texts, at least 1"],
    [{ nats: { servers: "nats://n" } }, 'nats.servers: "nats://n": must be a list of texts, at least 1'],
    [{ nats: { servers: ["x"] } }, 'nats.servers[0]: "x": must look like nats://host:4222'],
    [
      { nats: { ...GOOD.nats, passwordFile: "" } },
      'nats.passwordFile: "": must not be empty (file with the password)',
    ],
    [{ nats: [] }, "nats: []: must be a mapping that has servers and that may have user, passwordFile"],
    [{ lease: { seconds: 2 } }, "lease.seconds: 2: must be a whole number from 3 to 300"],
    [{ lease: { seconds: 4.5 } }, "lease.seconds: 4.5: must be a whole number from 3 to 300"],
    [{ perSecond: 0 }, "perSecond: 0: must be a number above 0"],
    [{ perSecond: "fast" }, 'perSecond: "fast": must be a number above 0'],
    [{ replicas: 2 }, "replicas: 2: must be one of 1, 3"],
    [{ level: "eror" }, 'level: "eror": must be one of debug, info, error; did you mean error?'],
    [{ repair: "yes" }, 'repair: "yes": must be true or false'],
    [{ groups: [{}] }, "groups[0].name: missing: must be text"],
    [
      { groups: [{ name: "g", labels: { "a.io/b": 1 } }] },
      'groups[0].labels["a.io/b"]: 1: must be text; put it in quotes',
    ],
    [{ lease: { second: 4 } }, "lease.second: unknown field; did you mean seconds?"],
    [{ seconds: 4 }, "seconds: unknown field here; did you mean lease.seconds?"],
    [
      { nats: { ...GOOD.nats, vhost: 1 } },
      "nats.vhost: unknown field; remove it, or use one of servers, user",
    ],
  ];
  for (const [changes, wanted] of table) {
    const found = faults(json(changes));
    t.equal(found.length, 1, found.join("\n"));
    t.ok(found[0]?.startsWith(wanted), `${found[0]} ⊇ ${wanted}`);
  }
});

const labels = (name: string): string => `cluster: a
nats: { servers: ["nats://n:4222"] }
groups: [{ name: web, labels: { app: x, ${name}: y } }]`;

t.test(
  "names that every object has are names like others; the one that would be lost is a fault",
  async (t) => {
    for (const name of ["constructor", "toString", "hasOwnProperty"])
      t.strictSame(load(labels(name)).groups, [{ name: "web", labels: { app: "x", [name]: "y" } }]);
    const lost = ["groups[0].labels.__proto__: cannot be a name; take it out"];
    t.strictSame(faults(labels("__proto__")), lost);
    const env = { PODGATE_GROUPS: "[{ name: web, labels: { __proto__: y } }]" };
    t.strictSame(faults(json({}), env), lost);
    t.match(faults(`${JSON.stringify(GOOD).slice(0, -1)}, "__proto__": { repair: false } }`), [
      /^__proto__: unknown field/,
    ]);
    t.strictSame(faults(json({}), { PODGATE_NATS__CONSTRUCTOR: "x", PODGATE_NATS____PROTO__: "x" }), [
      "PODGATE_NATS__CONSTRUCTOR: no field of the configuration; remove it",
      "PODGATE_NATS____PROTO__: no field of the configuration; remove it",
    ]);
  },
);

t.test("all faults of file and environment come at once, under the name of the file", async (t) => {
  try {
    load("cluster: 1\nlevel: x\nfoo: 1\n", { PODGATE_LEASE__SECONDS: "many", PODGATE_NATS__SERVRES: "[]" });
    t.fail("was accepted");
  } catch (error) {
    t.type(error, UserError);
    const [heading = "", ...lines] = (error as UserError).message.split("\n");
    t.equal(heading, "the configuration podgate.yaml has 6 faults:");
    for (const field of ["cluster: 1", "nats", "level", "foo", "lease.seconds", "PODGATE_NATS__SERVRES"])
      t.ok(
        lines.some((line) => line.startsWith(`  ${field}`)),
        field,
      );
  }
});

t.test("YAML that is broken says the line and the fix", async (t) => {
  const twice = faults("cluster: a\nnats:\n  user: x\n  user: y\n");
  t.match(twice, [/^line 4, column 3: a field that stands twice/]);
  t.match(
    faults("cluster: a\nnats:\n\tuser: x\n").join("\n"),
    /line 3, column 1: indented with a tab; use spaces/,
  );
  t.match(faults("cluster: a\n---\ncluster: b\n").join("\n"), /^line 2, .*second document/);
  t.throws(() => load("- a\n- b\n"), { message: /podgate\.yaml must be a mapping of fields/ });
  t.throws(() => load("just text"), { message: /must be a mapping of fields/ });
  const bomb = `a: &a [${"x,".repeat(50)}]\nb: &b [${"*a,".repeat(50)}]\nc: [${"*b,".repeat(50)}]\n`;
  t.throws(() => load(bomb), { name: "UserError", message: /no proper YAML/ });
});

t.test("an empty file is one where everything is missing", async (t) => {
  t.same(
    faults("").map((line) => line.split(":")[0]),
    ["cluster", "nats"],
  );
});

t.test("a file that cannot be read names itself and the option", async (t) => {
  t.throws(() => loadConfig(schema, { file: "/nowhere/podgate.yaml", env: {} }), {
    name: "UserError",
    message: /\/nowhere\/podgate\.yaml cannot be read \(ENOENT\).*--config/,
  });
});

t.test("variables override the file, field by field and whole sections", async (t) => {
  const text = json({ lease: { seconds: 20 }, groups: [{ name: "old" }] });
  const configuration = load(text, {
    PODGATE_CLUSTER: "b",
    PODGATE_NATS__SERVERS: '["nats://x:1", "nats://y:2"]',
    PODGATE_NATS__PASSWORD_FILE: "/run/password",
    PODGATE_NATS__USER: "u",
    PODGATE_REPAIR: "false",
    PODGATE_REPLICAS: "3",
    PODGATE_GROUPS: "[{name: new}]",
  });
  t.match(configuration, {
    cluster: "b",
    nats: { servers: ["nats://x:1", "nats://y:2"], passwordFile: "/run/password", user: "u" },
    lease: { seconds: 20 },
    repair: false,
    replicas: 3,
    groups: [{ name: "new" }],
  });
  t.match(load(json({}), { PODGATE_NATS__USER: "u", PODGATE_NATS: "{servers: ['nats://z:1']}" }).nats, {
    servers: ["nats://z:1"],
    user: "u",
  });
});

t.test("without a file, variables are enough", async (t) => {
  const env = { PODGATE_CLUSTER: "a", PODGATE_NATS__SERVERS: "[nats://n:4222]" };
  t.match(loadConfig(schema, { env }), GOOD);
  t.throws(() => loadConfig(schema, { env: {} }), { message: /no --config given/ });
});

t.test("a variable's value stays text where text is wanted", async (t) => {
  for (const value of ["007", "1e3", "true", "null", "0x1f", "[a]", "2026-01-01", "a: b", " x"]) {
    const { nats } = load(json({}), { PODGATE_NATS__USER: value, PODGATE_NATS__PASSWORD_FILE: value });
    t.equal(nats.user, value);
    t.equal(nats.passwordFile, value);
  }
});

t.test("a fault from the environment names the variable", async (t) => {
  t.same(faults(json({}), { PODGATE_PER_SECOND: "fast" }), [
    'perSecond (from PODGATE_PER_SECOND): "fast": must be a number above 0',
  ]);
  t.match(faults(json({}), { PODGATE_NATS__SERVERS: "[x]" }), [
    /^nats\.servers\[0\] \(from PODGATE_NATS__SERVERS\): "x"/,
  ]);
});

t.test("a file whose section is no mapping is not hidden by a variable inside it", async (t) => {
  t.match(faults(json({ lease: [] }), { PODGATE_LEASE__SECONDS: "5" }), [/^lease: \[\]: must be a mapping/]);
});

t.test("a variable that looks like a misspelled field is a fault", async (t) => {
  const table: [string, RegExp][] = [
    ["PODGATE_CLUSTR", /did you mean PODGATE_CLUSTER\?/],
    ["PODGATE_PERSECOND", /did you mean PODGATE_PER_SECOND\?/],
    ["PODGATE_NATS_SERVERS", /did you mean PODGATE_NATS__SERVERS\?/],
    ["PODGATE_NATS__SERVER", /did you mean PODGATE_NATS__SERVERS\?/],
    ["PODGATE_LEASE__FOO", /no field of the configuration; remove it/],
    ["PODGATE_FOO__BAR", /no field of the configuration; remove it/],
    ["PODGATE_GROUPS__0__NAME", /groups is a list; give the whole of it, as YAML, in PODGATE_GROUPS/],
    ["PODGATE_NATS__PASSWORD", /secrets stand in files; name the file in PODGATE_NATS__PASSWORD_FILE/],
  ];
  for (const [name, remedy] of table) {
    const found = faults(json({}), { [name]: "hunter2" });
    t.equal(found.length, 1, name);
    t.match(found[0], remedy);
    t.ok(found[0]?.startsWith(`${name}: `));
    t.notMatch(found.join(), "hunter2");
  }
});

t.test("variables of tools, of Kubernetes services and of others are left alone", async (t) => {
  const env = {
    PODGATE_CACHE: "/tmp/x",
    PODGATE_VERSION: "1.2.3",
    PODGATE_NATS_SERVER: "/bin/nats-server",
    PODGATE_NATS_SERVICE_HOST: "10.0.0.1",
    PODGATE_NATS_PORT_4222_TCP: "tcp://10.0.0.1:4222",
    PODGATE_NATS_USER: "tcp://10.0.0.1:4222",
    CLUSTER: "x",
    PATH: "/bin",
  };
  t.same(faults(json({}), env), []);
  t.equal(load(json({}), env).nats.user, undefined);
});

t.test("no fault shows a secret", async (t) => {
  const text = json({
    cluster: { token: "hunter2" },
    nats: {
      servers: ["nats://user:hunter2@n:4222"],
      password: "hunter2",
      passwordFile: { secret: "hunter2" },
    },
    level: "Bearer hunter2hunter2",
    token: "hunter2",
  });
  const found = faults(text, { PODGATE_PER_SECOND: "https://user:hunter2@host/" }).join("\n");
  t.notMatch(found, "hunter2");
  t.match(found, "nats://***@n:4222");
  t.match(found, 'cluster: {"token":"***"}');
});

t.test("the value of a field named like a secret is never shown, whatever is wrong with it", async (t) => {
  const careless = z.strictObject({ token: z.int(), auth: z.strictObject({ password: z.string().max(3) }) });
  try {
    loadConfig(careless, {
      file: "x",
      env: {},
      read: () => "token: hunter2\nauth: {password: hunter2}\n",
    });
    t.fail("was accepted");
  } catch (error) {
    const { message } = error as UserError;
    t.match(message, "token: ***: must be a whole number");
    t.match(message, "auth.password: ***: ");
    t.notMatch(message, "hunter2");
  }
});

t.test("the configuration is shown as YAML with defaults and without secrets", async (t) => {
  const text = showConfig({
    ...load(json({})),
    token: "hunter2",
    url: "https://u:hunter2@h/",
    tokenFile: "/run/t",
  });
  t.match(text, "cluster: a\n");
  t.match(text, "lease:\n  seconds: 10\n");
  t.match(text, "tokenFile: /run/t\n");
  t.match(text, "https://***@h/");
  t.notMatch(text, "hunter2");
});
