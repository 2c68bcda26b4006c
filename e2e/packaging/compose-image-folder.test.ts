import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { makeImageFolder, type ImageFolder } from "../compose/image-folder.ts";
import { temporaryDirectory } from "../stack/leftovers.ts";

function made(t: Test, dockerfile: string): ImageFolder {
  const [directory, remove] = temporaryDirectory("image-folder");
  t.teardown(remove);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  put("base/bin/node", "of the base");
  put("context/dist/podgate/main.mjs", "of the context");
  put("Dockerfile", dockerfile);
  const base = {
    folder: join(directory, "base"),
    environment: { PATH: "/bin", HOME: "/home" },
    workingDirectory: "/home",
    entrypoint: ["/bin/node"],
    command: ["--help"],
  };
  const file = join(directory, "Dockerfile");
  return makeImageFolder({
    base,
    file,
    context: join(directory, "context"),
    folder: join(directory, "image"),
  });
}

t.test("an image as a folder has what its Dockerfile adds to the base", async (t) => {
  const image = made(
    t,
    `# A comment.
ARG BASE_IMAGE
FROM \${BASE_IMAGE}
ARG VERSION=1.2
ENV A=1 \\
    # Between two lines of one instruction.
    B="2 3" \\
    VERSION=\${VERSION}
ENV PATH=/other
COPY --chown=65532:65532 dist/ /opt/
USER 65532:65532
WORKDIR /opt
ENTRYPOINT ["/bin/node", "/opt/podgate/main.mjs"]
CMD ["run"]
`,
  );
  t.strictSame(image.environment, { PATH: "/other", HOME: "/home", A: "1", B: "2 3", VERSION: "1.2" });
  t.strictSame(image.entrypoint, ["/bin/node", "/opt/podgate/main.mjs"]);
  t.strictSame(image.command, ["run"]);
  t.equal(image.workingDirectory, "/opt");
  t.equal(readFileSync(join(image.folder, "bin/node"), "utf8"), "of the base");
  t.equal(readFileSync(join(image.folder, "opt/podgate/main.mjs"), "utf8"), "of the context");
  t.notOk(existsSync(join(image.folder, "opt/dist")), "what is in the folder is copied, not the folder");
});

t.test("an entrypoint of its own ends the base's command, and without one the base's stands", async (t) => {
  t.strictSame(made(t, 'FROM a\nENTRYPOINT ["/x"]\n').command, []);
  t.match(made(t, "FROM a\nENV A=1\n"), { entrypoint: ["/bin/node"], command: ["--help"] });
});

t.test("what a folder cannot show is refused", async (t) => {
  t.throws(() => made(t, "FROM a\nRUN make\n"), { message: /Dockerfile: RUN is not known here$/ });
  t.throws(() => made(t, "FROM a\nCOPY dist other /opt/\n"), {
    message: /^COPY dist other \/opt\/: only one/,
  });
});
