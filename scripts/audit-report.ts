/** What is known of faults in the packages of others, as `pnpm audit --json` told it. */
export type AuditReport =
  | { readonly answered: false; readonly why: string }
  | {
      readonly answered: true;
      readonly packages: number;
      /** High and critical ones in what the services and their images are made of. */
      readonly failing: readonly string[];
      /** All others: lesser ones, and those of what only tests use. */
      readonly others: readonly string[];
    };

const FAILING: ReadonlySet<string> = new Set(["high", "critical"]);
/** Packages of the workspace that only tests use (`e2e`, `e2e__simulators__…`): paths begin with their names. */
const TESTS = /^e2e(__|>)/;

/** @throws Error pnpm said something else: with what it said */
export function auditReport(stdout: string, stderr: string): AuditReport {
  const said = parsed(stdout);
  if (said === undefined) {
    if (!stderr.includes("ERR_PNPM_AUDIT_")) throw new Error(`${stdout}\n${stderr}`.trim());
    const status = /responded\s+with\s+(\d{3})/.exec(stderr)?.[1];
    return {
      answered: false,
      why: status === undefined ? "it cannot be reached" : `it answers with HTTP ${status}`,
    };
  }
  const failing: string[] = [];
  const others: string[] = [];
  for (const advisory of Object.values(said.advisories)) {
    const paths = advisory.findings.flatMap((finding) => finding.paths);
    const isShipped = paths.some((path) => !TESTS.test(path));
    (isShipped && FAILING.has(advisory.severity) ? failing : others).push(line(advisory, paths));
  }
  return { answered: true, packages: said.metadata.totalDependencies, failing, others };
}

interface Advisory {
  readonly module_name: string;
  readonly severity: string;
  readonly title: string;
  readonly url: string;
  readonly patched_versions: string;
  readonly findings: readonly { readonly version: string; readonly paths: readonly string[] }[];
}

interface Said {
  readonly advisories: Readonly<Record<string, Advisory>>;
  readonly metadata: { readonly totalDependencies: number };
}

function parsed(text: string): Said | undefined {
  try {
    const said = JSON.parse(text) as Partial<Said>;
    return said.advisories === undefined ? undefined : (said as Said);
  } catch {
    return undefined;
  }
}

function line(advisory: Advisory, paths: readonly string[]): string {
  const { module_name: name, severity, title, url, patched_versions: patched, findings } = advisory;
  const versions = [...new Set(findings.map(({ version }) => version))].join(", ");
  return `${severity}: ${name} ${versions}: ${title} (${url}); mended in ${patched}; by ${paths.join(", ")}`;
}
