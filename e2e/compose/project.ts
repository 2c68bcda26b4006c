/** A compose file as it runs: with volumes, networks and ports that no other run has. */
export interface Project {
  /** Until all that lasts is healthy, or runs where nothing says how to know, and the others have done their work. */
  up(): Promise<void>;
  /** In order; the volumes stay. */
  down(): Promise<void>;
  /** Runs a program beside a service that runs. @returns what it printed. @throws Error it failed: what it said */
  exec(service: string, ...command: readonly string[]): Promise<string>;
  /** What services printed; of all of them, if none is named. */
  logs(...services: readonly string[]): Promise<string>;
  /** A file of a service, which may have ended. */
  read(service: string, path: string): Promise<string>;
  /** On this machine. @param last digit of the published port, as in the compose file */
  address(last: number): string;
  /** Services that are to last, and ended. */
  fallen(): Promise<string[]>;
  /** Everything of it is gone, also what it kept. */
  remove(): Promise<void>;
  /** What is left of it. */
  leftovers(): string[];
}
