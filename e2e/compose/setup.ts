// What docker-compose.yml runs once before the other parts: `setup.mjs keys` makes keys and writes configurations into
// the volumes, `setup.mjs cluster` puts into the cluster what it needs. Both change nothing where it was done before.
import { join } from "node:path";
import { fillCluster } from "./cluster.ts";
import { NATS_USERS, writeFiles } from "./files.ts";
import { keysIn } from "./keys.ts";

const volumes = process.env["VOLUMES"] ?? "/volumes";
const hostPort = process.env["API_SERVER_PORT"] ?? "6443";
const [step] = process.argv.slice(2);

const keys = await keysIn(join(volumes, "keys/keys.json"), NATS_USERS);
if (step === "keys") writeFiles({ volumes, hostPort }, keys);
else if (step === "cluster") await fillCluster(volumes, keys);
else {
  console.error(`setup: say keys or cluster, not "${step ?? ""}"`);
  process.exitCode = 2;
}
