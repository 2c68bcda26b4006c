import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADDRESS_ACCESS, FULL_ACCESS } from "@podgate/fortios-simulator/access";
import { startSimulator, type Simulator, type SimulatorOptions } from "@podgate/fortios-simulator/simulator";
import { Agent, request } from "undici";
import { temporaryDirectory } from "./leftovers.ts";

export interface ReadOptions {
  /** Default `root`. */
  readonly vdom?: string;
  /** Default `ipv4`. */
  readonly family?: "ipv4" | "ipv6";
}

/** Reads for a warning that the smallest profile does not allow: without them there is nothing to warn of. */
const OPTIONAL: ReadonlySet<string> = new Set(["monitor/system/ha-peer", "cmdb/system/central-management"]);

/** A simulated FortiGate, and a reader of its REST API that shares no code with it or with the product. */
export class Firewall {
  readonly simulator: Simulator;
  readonly tokenFile: string;
  #agent: Agent;
  readonly #remove: () => void;
  readonly #refused: string[] = [];

  constructor(simulator: Simulator, tokenFile: string, remove: () => void) {
    this.simulator = simulator;
    this.tokenFile = tokenFile;
    this.#remove = remove;
    this.#agent = agentFor(simulator);
    simulator.device.subscribe((entry) => {
      const { method, path, vdom, status, token, faults } = entry;
      if (status !== 403 || token !== PRODUCT_USER || faults.length > 0 || OPTIONAL.has(path)) return;
      const { users, configuration } = simulator.device;
      const isWhole = users.find(({ name }) => name === token)?.profile === ADDRESS_ACCESS;
      if (isWhole && configuration.vdom(vdom) !== undefined) this.#refused.push(`${method} ${path}`);
    });
  }

  get #readerToken(): string {
    return this.simulator.device.users.find(({ name }) => name === READER)?.token ?? this.simulator.token;
  }

  get url(): string {
    return this.simulator.url;
  }

  get caFile(): string | undefined {
    return this.simulator.caFile;
  }

  /** A group's addresses through all groups in it, sorted; undefined where there is no such group. */
  async members(
    group: string,
    { vdom = "root", family = "ipv4" }: ReadOptions = {},
  ): Promise<string[] | undefined> {
    const six = family === "ipv6" ? "6" : "";
    const [addresses, groups] = await Promise.all([
      this.rows<AddressRow>(`firewall/address${six}`, vdom),
      this.rows<GroupRow>(`firewall/addrgrp${six}`, vdom),
    ]);
    const values = new Map(addresses.map((row) => [row.name, valueOf(row)]));
    const members = new Map(groups.map((row) => [row.name, row.member.map(({ name }) => name)]));
    if (!members.has(group)) return undefined;
    const found = new Set<string>();
    const seen = new Set<string>();
    const queue = [group];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const value = values.get(name);
      if (value !== undefined) found.add(value);
      queue.push(...(members.get(name) ?? []));
    }
    return [...found].toSorted();
  }

  /** The names of all groups. */
  async groups({ vdom = "root", family = "ipv4" }: ReadOptions = {}): Promise<string[]> {
    const rows = await this.rows<GroupRow>(`firewall/addrgrp${family === "ipv6" ? "6" : ""}`, vdom);
    return rows.map(({ name }) => name);
  }

  /** A table's rows. @param path after `cmdb/` */
  async rows<T>(path: string, vdom = "root"): Promise<T[]> {
    const answer = await this.call("GET", `cmdb/${path}?vdom=${encodeURIComponent(vdom)}`);
    return (answer as { results: T[] }).results;
  }

  /**
   * A call as an administrator makes it, or whoever has the token.
   *
   * @param path after `/api/v2/`
   * @throws when it is refused
   */
  async call(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: object,
    token = this.#readerToken,
  ): Promise<unknown> {
    const response = await request(`${this.url}/api/v2/${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { authorization: `Bearer ${token}`, "user-agent": "podgate-e2e" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text) as unknown;
  }

  /**
   * What the product asked for and has no right to, in words; what was refused while somebody had taken rights or the
   * VDOM away is not in it.
   */
  get overreached(): readonly string[] {
    return this.#refused;
  }

  /** POST, PUT and DELETE of others than this reader, since the given id of the request log. */
  writes(since = 0): ReturnType<Simulator["log"]> {
    return this.simulator.log({ since, writes: true }).filter(({ userAgent }) => userAgent !== "podgate-e2e");
  }

  /** Another certificate, of another authority. This reader trusts it; the product does once `trust` was called. */
  async renewCertificate(): Promise<void> {
    await this.simulator.renewCertificate();
    await this.#agent.destroy();
    this.#agent = agentFor(this.simulator);
  }

  /** The file that the product reads names the authority of the present certificate. */
  trust(): void {
    if (this.caFile !== undefined) writeFileSync(this.caFile, this.simulator.ca ?? "");
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
    await this.simulator.close();
    this.#remove();
  }
}

/** The product's user; it has the smallest profile that can keep address groups, and no more. */
export const PRODUCT_USER = "podgate";
/** Of the reader, which is an administrator. */
const READER = "reader";

export async function startFirewall(options: SimulatorOptions = {}): Promise<Firewall> {
  const [directory, remove] = temporaryDirectory("firewall");
  const users = [
    { name: PRODUCT_USER, token: randomToken(), profile: ADDRESS_ACCESS, vdoms: "*" },
    { name: READER, token: randomToken(), profile: FULL_ACCESS, vdoms: "*" },
  ] as const;
  const simulator = await startSimulator({ caFile: join(directory, "ca.pem"), users, ...options });
  const tokenFile = join(directory, "token");
  writeFileSync(tokenFile, `${simulator.token}\n`, { mode: 0o600 });
  return new Firewall(simulator, tokenFile, remove);
}

const randomToken = (): string => randomBytes(20).toString("hex");
const agentFor = ({ ca }: Simulator): Agent => new Agent({ ...(ca !== undefined && { connect: { ca } }) });

interface AddressRow {
  readonly name: string;
  readonly subnet?: string;
  readonly ip6?: string;
  readonly "start-ip"?: string;
  readonly "end-ip"?: string;
}

interface GroupRow {
  readonly name: string;
  readonly member: readonly { readonly name: string }[];
}

/** `10.0.0.1`, `10.0.0.0 255.255.255.0`, `2001:db8::1`, `a-b`; undefined for the predefined `none`. */
function valueOf({ name, subnet, ip6, ...range }: AddressRow): string | undefined {
  if (name === "none") return undefined;
  if (ip6 !== undefined) return ip6.replace(/\/128$/, "");
  if (subnet !== undefined) return subnet.replace(/ 255\.255\.255\.255$/, "");
  return `${range["start-ip"] ?? ""}-${range["end-ip"] ?? ""}`;
}
