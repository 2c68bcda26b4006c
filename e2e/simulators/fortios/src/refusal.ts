/** What the device will not do. `code` is a FortiOS CLI code, as `exceptions.py` of hfortix-core lists them. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: number | undefined;
  readonly cli: string | undefined;

  constructor(status: number, code?: number, cli?: string) {
    super(cli ?? `HTTP ${String(status)}`);
    this.status = status;
    this.code = code;
    this.cli = cli;
  }
}

export const NOT_FOUND = -3;
export const FULL = -4;
export const DUPLICATE = -5;
export const BAD_IP = -8;
export const BAD_MASK = -9;
export const DUPLICATE_ROW = -15;
export const IN_USE = -23;
export const BAD_RANGE = -45;
export const EMPTY = -56;
export const TOO_LONG = -1;
export const NAME_CLASH = -163;
export const XSS = -173;
export const BAD_PREFIX6 = -254;
export const BAD_IP6 = -255;
export const OUT_OF_RANGE = -650;
export const INVALID = -651;
export const PROTECTED = -7;

/** The CLI layer refuses: HTTP 500 with code and text. */
export function cliRefusal(code: number, text = ""): Refusal {
  return new Refusal(
    500,
    code,
    `${text}${text === "" ? "" : "\n"}Command fail. Return code ${String(code)}\n`,
  );
}

/** A write names something that does not exist. */
export function missingReference(code: -3 | -651, value: string): Refusal {
  const what = code === -3 ? "entry not found in datasource" : `node_check_object fail! for name ${value}`;
  return cliRefusal(code, `${what}\n\nvalue parse error before '${value}'`);
}
