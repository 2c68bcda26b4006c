import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Simulator } from "../src/simulator.ts";
import { ANSIBLE_CASES, playbook } from "./ansible-cases.ts";
import { run } from "./environment.ts";
import type { Result } from "./result.ts";

interface JsonOutput {
  readonly plays: readonly {
    readonly tasks: readonly {
      readonly task: { readonly name: string };
      readonly hosts: Readonly<Record<string, TaskResult>>;
    }[];
  }[];
}
interface TaskResult {
  readonly failed?: boolean;
  readonly unreachable?: boolean;
  readonly [key: string]: unknown;
}

/** One playbook over all profiles at once; a second one with a wrong token, at the end, because of the lockout. */
export async function runAnsible(bin: string, simulators: ReadonlyMap<string, Simulator>): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), "pg-fid-"));
  try {
    const right = await play(bin, folder, simulators, false);
    const wrong = await play(bin, folder, simulators, true);
    for (const simulator of simulators.values()) simulator.device.lockout.clear();
    return [...right, ...wrong];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function play(
  bin: string,
  folder: string,
  simulators: ReadonlyMap<string, Simulator>,
  wrong: boolean,
): Promise<Result[]> {
  const inventory = join(folder, "inventory.json");
  const book = join(folder, "playbook.json");
  await writeFile(inventory, JSON.stringify(inventoryOf(simulators, folder, wrong)));
  await writeFile(book, JSON.stringify(playbook(ANSIBLE_CASES, wrong)));
  for (const [profile, simulator] of simulators)
    await writeFile(join(folder, `${profile}.pem`), simulator.ca ?? "");
  const { code, stdout, stderr } = await run(join(bin, "ansible-playbook"), ["-i", inventory, book], {
    ANSIBLE_HOME: folder,
    ANSIBLE_STDOUT_CALLBACK: "ansible.posix.json",
    ANSIBLE_FORKS: "3",
    ANSIBLE_PIPELINING: "1",
    ANSIBLE_NOCOLOR: "1",
    ANSIBLE_LOCALHOST_WARNING: "0",
    ANSIBLE_DEPRECATION_WARNINGS: "0",
    ANSIBLE_PERSISTENT_CONTROL_PATH_DIR: folder,
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
  });
  const start = stdout.indexOf("{");
  if (start === -1) throw new Error(`ansible-playbook (code ${String(code)}) said:\n${stdout}\n${stderr}`);
  const output = JSON.parse(stdout.slice(start)) as JsonOutput;
  return output.plays.flatMap(({ tasks }) =>
    tasks.flatMap(({ task, hosts }) =>
      Object.entries(hosts).map(([profile, result]) => ({
        client: "ansible",
        case: task.name,
        profile,
        ok: result.failed !== true && result.unreachable !== true,
        detail: JSON.stringify(result),
      })),
    ),
  );
}

function inventoryOf(simulators: ReadonlyMap<string, Simulator>, folder: string, wrong: boolean): unknown {
  const hosts = [...simulators].map(([profile, simulator]) => [
    profile,
    {
      ansible_host: "127.0.0.1",
      // The port proper tells the persistent connections of one address apart.
      ansible_port: simulator.port,
      ansible_httpapi_port: simulator.port,
      ansible_httpapi_ca_path: join(folder, `${profile}.pem`),
      ansible_httpapi_session_key: { access_token: wrong ? "not-the-token" : simulator.token },
      empty_allowed: simulator.device.profile.emptyGroup,
    },
  ]);
  return {
    all: {
      vars: {
        ansible_connection: "ansible.netcommon.httpapi",
        ansible_network_os: "fortinet.fortios.fortios",
        ansible_httpapi_use_ssl: true,
        ansible_httpapi_validate_certs: true,
        ansible_python_interpreter: "{{ ansible_playbook_python }}",
      },
      hosts: Object.fromEntries(hosts) as unknown,
    },
  };
}
