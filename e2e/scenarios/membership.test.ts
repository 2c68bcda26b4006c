import t from "tap";
import { skip, stage } from "./scene.ts";

const on = stage(t);

t.test(
  "a Deployment goes from 1 to 3 to 1, and the group with it",
  { skip },
  on(async (t, scene) => {
    await scene.namespace("scaling");
    await scene.group("scaling", {
      pods: { app: "web" },
      namespaces: { "kubernetes.io/metadata.name": "scaling" },
    });
    await scene.deployment("scaling", "web");
    await scene.untilEqual("scaling", { count: 1 });
    await scene.scale("scaling", "web", 3);
    await scene.untilEqual("scaling", { count: 3 });
    await scene.scale("scaling", "web", 1);
    await scene.untilEqual("scaling", { count: 1 });
    t.strictSame(scene.judge("scaling").wrong, []);
  }),
);
