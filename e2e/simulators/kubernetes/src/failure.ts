const REASONS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  405: "MethodNotAllowed",
  409: "Conflict",
  410: "Expired",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
};

/** A refusal: what the server says in a `Status`. */
export class Failure extends Error {
  override name = "Failure";
  readonly code: number;
  readonly reason: string;

  constructor(code: number, message: string, reason = REASONS[code] ?? "") {
    super(message);
    this.code = code;
    this.reason = reason;
  }

  json(): string {
    const { code, reason, message } = this;
    return JSON.stringify({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      reason,
      code,
    });
  }
}

export const expired = (version: number | string, oldest: number): Failure =>
  new Failure(410, `too old resource version: ${String(version)} (${String(oldest)})`);
