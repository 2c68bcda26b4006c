import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { tool } from "../tools/tool.ts";
import { makeAuthority, makeSigningKeys, type Authority } from "./certificates.ts";
import { fakeNodes, kwokConfiguration } from "./fake-nodes.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { KubernetesClient, type KubernetesObject } from "./kubernetes-client.ts";
import { temporaryDirectory } from "./leftovers.ts";
import { freePorts } from "./ports.ts";
import { Program } from "./program.ts";

export interface ControlPlaneOptions {
  readonly name: string;
  /** Of KWOK; default 2. With 0 there is no KWOK, and nodes are real or none. */
  readonly nodes?: number;
  /** Default `192.168.1`: the nodes are .1, .2 … of it. */
  readonly nodeNetwork?: string;
  /** Addresses of pods. Two clusters with the same range get the same addresses. Default `10.42.0.0/16`. */
  readonly podCidr?: string;
  /** A second address for each pod, of this range. */
  readonly podCidr6?: string;
  /** `audit.log` in its directory holds what everybody asked; default: what accounts of the watcher's namespace did. */
  readonly audit?: boolean;
}

/** As the API server calls the watcher's account (watcher-access.ts). */
export const WATCHER_USER = "system:serviceaccount:podgate:podgate-watcher";
const SERVICE_CIDR = "10.96.0.0/16";
const SERVICE_CIDR6 = "fd00:96::/112";
/** Where pods look for the API server (port 443). */
export const SERVICE_ADDRESS = "10.96.0.1";
const READY_MS = 60_000;
/** An API server that was just started refuses what it allows once it has read the roles. */
const UNREAD_MS = 20_000;

/** A Kubernetes control plane of real parts; only nodes and their pods are KWOK's. */
export class ControlPlane {
  readonly name: string;
  readonly directory: string;
  /** Rights of `system:masters`. */
  readonly client: KubernetesClient;
  readonly kubeconfig: string;
  readonly server: string;
  readonly ca: string;
  /** A certificate of the cluster's own authority. */
  readonly issue: Authority["issue"];
  readonly #etcd: Program;
  readonly #etcdUrl: string;
  readonly #remove: () => void;
  #apiServer: Program;
  readonly #startApiServer: () => Program;
  /** Hang on the API server: some are started again with it, the others find it again. */
  #restarted: { readonly start: () => Program; program: Program }[] = [];
  #others: Program[] = [];
  readonly #restartedAt: number[] = [];

  constructor(parts: {
    options: ControlPlaneOptions;
    directory: string;
    remove: () => void;
    server: string;
    authority: Authority;
    admin: { certificate: string; key: string };
    etcd: Program;
    etcdUrl: string;
    startApiServer: () => Program;
  }) {
    const { options, server, authority, admin, directory } = parts;
    const ca = authority.certificate;
    this.name = options.name;
    this.directory = directory;
    this.server = server;
    this.ca = ca;
    this.issue = (wanted) => authority.issue(wanted);
    const access = { server, ca, cert: admin.certificate, key: admin.key };
    this.client = new KubernetesClient(access);
    this.kubeconfig = writeKubeconfig(join(directory, "admin.kubeconfig"), options.name, access);
    this.#etcd = parts.etcd;
    this.#etcdUrl = parts.etcdUrl;
    this.#startApiServer = parts.startApiServer;
    this.#apiServer = parts.startApiServer();
    this.#remove = parts.remove;
  }

  /** Programs that hang on the API server; they end with it, and are started again with it. */
  add(...starts: (() => Program)[]): void {
    this.#restarted.push(...starts.map((start) => ({ start, program: start() })));
  }

  /** Programs that hang on the API server and know what it does not; they end with it. */
  addLasting(...programs: Program[]): void {
    this.#others.push(...programs);
  }

  async ready(): Promise<void> {
    await this.#apiServer.until(
      "readyz",
      async () => ((await this.client.call("GET", "/readyz").catch(() => "")) === "ok" ? true : undefined),
      READY_MS,
    );
  }

  /** `audit.log` as far as it is written. */
  audited(): string {
    const file = join(this.directory, "audit.log");
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    return lines.filter((line) => !this.#isEarlyRefusal(line)).join("\n");
  }

  #isEarlyRefusal(line: string): boolean {
    const [, at = ""] = /"requestReceivedTimestamp":"([^"]+)"/.exec(line) ?? [];
    const after = this.#restartedAt.map((started) => Date.parse(at) - started);
    return line.includes('"code":403') && after.some((ms) => ms >= 0 && ms < UNREAD_MS);
  }

  /** Server-side apply as admin. */
  apply(...objects: readonly KubernetesObject[]): Promise<KubernetesObject[]> {
    return this.client.apply(...objects);
  }

  /** `kill -9` of the API server alone. */
  async killApiServer(): Promise<void> {
    await this.#apiServer.kill();
  }

  /** The API server again, on the same port and etcd. */
  async restartApiServer(): Promise<void> {
    await this.#apiServer.stop();
    this.#restartedAt.push(Date.now());
    this.#apiServer = this.#startApiServer();
    await this.ready();
    // Their informers would come back by themselves, but after a second failure only in half a minute.
    await Promise.all(
      this.#restarted.map(async (other) => {
        await other.program.kill();
        other.program = other.start();
      }),
    );
  }

  /** Every older version is gone, from etcd and (by a restart) from the API server's watch cache. */
  async compact(): Promise<void> {
    const ask = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
      const answer = await fetch(`${this.#etcdUrl}/v3/kv/${path}`, {
        method: "POST",
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`etcd ${path}: HTTP ${answer.status}`);
      return (await answer.json()) as { header: { revision: string } };
    };
    const { header } = await ask("range", { key: Buffer.from("/").toString("base64") });
    await ask("compaction", { revision: header.revision, physical: true });
    await this.restartApiServer();
  }

  async close(): Promise<void> {
    await this.client.close();
    // Nothing here is worth an orderly end: the directory goes, too.
    const restarted = this.#restarted.map(({ program }) => program);
    await Promise.all(
      [...restarted, ...this.#others, this.#apiServer, this.#etcd].map((program) => program.kill()),
    );
    this.#remove();
  }
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const [directory, remove] = temporaryDirectory(`kubernetes-${options.name}`);
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const [etcdBin, apiServerBin, kcmBin, schedulerBin, kwokBin] = await Promise.all([
    tool("etcd"),
    tool("kube-apiserver"),
    tool("kube-controller-manager"),
    tool("kube-scheduler"),
    tool("kwok"),
  ]);
  const [etcdPort = 0, etcdPeerPort = 0, apiPort = 0] = await freePorts(3);
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const peerUrl = `http://127.0.0.1:${etcdPeerPort}`;
  const etcd = new Program({
    name: `etcd of ${options.name}`,
    command: etcdBin,
    args: flags({
      "data-dir": join(directory, "etcd"),
      "listen-client-urls": etcdUrl,
      "advertise-client-urls": etcdUrl,
      "listen-peer-urls": peerUrl,
      "initial-advertise-peer-urls": peerUrl,
      "initial-cluster": `default=${peerUrl}`,
      "unsafe-no-fsync": "true",
      "log-level": "warn",
    }),
  });
  const authority = await makeAuthority(`podgate-e2e ${options.name}`);
  const admin = await authority.issue({ commonName: "admin", organization: "system:masters" });
  const signing = await makeSigningKeys();
  const caFile = file("ca.crt", authority.certificate);
  const signingFile = file("service-accounts.key", signing.privateKey);
  const serving = await servingPair(authority);
  // What it proves to a kubelet who it is with, for exec and logs.
  const kubeletClient = await authority.issue({
    commonName: "kube-apiserver",
    organization: "system:masters",
  });
  const apiFlags = flags({
    "etcd-servers": etcdUrl,
    "bind-address": "127.0.0.1",
    // Nobody is told; without it a machine that has no default route is refused.
    "advertise-address": "192.0.2.1",
    "secure-port": String(apiPort),
    "endpoint-reconciler-type": "none",
    "authorization-mode": "Node,RBAC",
    "client-ca-file": caFile,
    "tls-cert-file": file("server.crt", serving.certificate),
    "tls-private-key-file": file("server.key", serving.key),
    "kubelet-client-certificate": file("kubelet-client.crt", kubeletClient.certificate),
    "kubelet-client-key": file("kubelet-client.key", kubeletClient.key),
    // Nothing resolves the name of a node.
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": file("service-accounts.pub", signing.publicKey),
    "service-account-signing-key-file": signingFile,
    "service-cluster-ip-range":
      options.podCidr6 === undefined ? SERVICE_CIDR : `${SERVICE_CIDR},${SERVICE_CIDR6}`,
    "audit-policy-file": file("audit.yaml", stringify(auditPolicy(options.audit === true))),
    "audit-log-path": join(directory, "audit.log"),
  });
  const plane = new ControlPlane({
    options,
    directory,
    remove,
    server: `https://127.0.0.1:${apiPort}`,
    authority,
    admin,
    etcd,
    etcdUrl,
    startApiServer: () =>
      new Program({ name: `kube-apiserver of ${options.name}`, command: apiServerBin, args: apiFlags }),
  });
  try {
    await plane.ready();
    const hasAccess = { kubeconfig: plane.kubeconfig };
    const alone = {
      "leader-elect": "false",
      "secure-port": "0",
      "kube-api-qps": "500",
      "kube-api-burst": "1000",
    };
    plane.add(
      () =>
        new Program({
          name: `kube-controller-manager of ${options.name}`,
          command: kcmBin,
          args: flags({
            ...hasAccess,
            ...alone,
            "root-ca-file": caFile,
            "service-account-private-key-file": signingFile,
          }),
        }),
      () =>
        new Program({
          name: `kube-scheduler of ${options.name}`,
          command: schedulerBin,
          args: flags({ ...hasAccess, ...alone }),
        }),
    );
    const count = options.nodes ?? 2;
    if (count === 0) return plane;
    // A new one would give addresses out that pods of the old one hold.
    plane.addLasting(
      new Program({
        name: `kwok of ${options.name}`,
        command: kwokBin,
        args: flags({
          ...hasAccess,
          config: file(
            "kwok.yaml",
            kwokConfiguration()
              .map((part) => stringify(part))
              .join("---\n"),
          ),
          "manage-all-nodes": "true",
          "node-lease-duration-seconds": "40",
        }),
      }),
    );
    const podCidrs = [
      options.podCidr ?? "10.42.0.0/16",
      ...(options.podCidr6 === undefined ? [] : [options.podCidr6]),
    ];
    const nodes = fakeNodes({
      count,
      podCidrs,
      network: options.nodeNetwork ?? "192.168.1",
    });
    await Promise.all(nodes.map((node) => plane.client.create(node)));
    return plane;
  } catch (error) {
    await plane.close();
    throw error;
  }
}

const auditPolicy = (isFull: boolean): object => ({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: isFull ? [{ level: "Metadata" }] : [{ level: "Metadata", users: [WATCHER_USER] }, { level: "None" }],
});

function servingPair(authority: Authority) {
  return authority.issue({
    commonName: "kube-apiserver",
    hosts: ["localhost", "127.0.0.1", SERVICE_ADDRESS, "kubernetes.default.svc"],
  });
}

function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`);
}
