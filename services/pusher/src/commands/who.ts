import { userInfo } from "node:os";

/** Who decides, for the record: as he says, or the user of the operating system. */
export function whoDecides(by: string | boolean | undefined): string {
  if (typeof by === "string" && by.trim() !== "") return by.trim().slice(0, 256);
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no name.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}
