type Report = (error: unknown) => void;

const reports: Report[] = [];

/**
 * From now on an exception or rejection that nobody caught goes to `report`, and the process ends with 1. Node itself
 * would print the whole error with all its fields, and those may hold secrets. The latest registration wins.
 *
 * @returns takes it back
 */
export function onCrash(report: Report): () => void {
  if (reports.length === 0) process.on("uncaughtException", crash);
  reports.push(report);
  return () => {
    reports.splice(reports.lastIndexOf(report), 1);
    if (reports.length === 0) process.off("uncaughtException", crash);
  };
}

/** Rejections arrive here, too, as no listener of their own is set. */
function crash(error: unknown): void {
  try {
    reports.at(-1)?.(error);
  } finally {
    process.exit(1);
  }
}
