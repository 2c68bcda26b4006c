/** Counts the named tests of TAP output: the top-level results of each test file. */
export class Tally {
  #passed = 0;
  #failed: string[] = [];
  #skipped = new Map<string, number>();

  /** The TAP text a test file printed, and the code its process ended with (undefined = killed). */
  read(file: string, text: string, code: number | undefined): void {
    const before = this.#passed + this.#failed.length + this.#skips();
    const failedBefore = this.#failed.length;
    for (const line of text.split("\n")) {
      const named = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO)(.*)| # time=.*)?$/.exec(line);
      if (named === null) continue;
      if (named[3] !== undefined) this.#skip(named[4]?.trim() || "no reason given");
      else if (named[1] !== undefined) this.#failed.push(`${file}: ${named[2]}`);
      else this.#passed += 1;
    }
    if (this.#passed + this.#failed.length + this.#skips() === before) {
      this.#failed.push(`${file} holds no test that ran`);
    } else if (code !== 0 && this.#failed.length === failedBefore) {
      this.#failed.push(
        `${file} ${code === undefined ? "was killed" : `ended with ${code}`} outside its tests`,
      );
    }
  }

  /** A step before the tests that did not work. */
  broken(what: string): void {
    this.#failed.push(what);
  }

  report(): string[] {
    return [
      ...this.#failed.map((what) => `failed: ${what}`),
      ...[...this.#skipped].map(([reason, n]) => `${n} skipped: ${reason}`),
    ];
  }

  closingLine(): string {
    const skipped = this.#skips();
    return `${this.#passed} passed, ${this.#failed.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  }

  /**
   * `strict`: a skipped test is a failure, unless its reason contains one of `allowed`. No test at all is one always.
   */
  ok({ strict, allowed = [] }: { strict: boolean; allowed?: readonly string[] }): boolean {
    if (this.#failed.length > 0 || this.#passed === 0) return false;
    const counted = [...this.#skipped.keys()].filter(
      (reason) => !allowed.some((each) => reason.includes(each)),
    );
    return !(strict && counted.length > 0);
  }

  #skip(reason: string): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
  }

  #skips(): number {
    return [...this.#skipped.values()].reduce((sum, n) => sum + n, 0);
  }
}
