import { keyOf, type Item } from "./item.ts";
import type { Pod } from "./pod.ts";
import { rfc3339 } from "./write.ts";

/**
 * A pod at one resourceVersion. Its JSON is made when it is asked for, in the shape and size (about 5 kB while it
 * runs) of pods that a real kubelet 1.37 reported.
 */
export class PodItem implements Item {
  readonly pod: Pod;
  readonly version: number;

  constructor(pod: Pod, version: number) {
    this.pod = pod;
    this.version = version;
  }

  get key(): string {
    return keyOf(this.pod.namespace, this.pod.name);
  }

  get namespace(): string {
    return this.pod.namespace;
  }

  json(typed: boolean): string {
    const type = typed ? '"kind":"Pod","apiVersion":"v1",' : "";
    return `{${type}"metadata":${metadata(this.pod, this.version)},"spec":${spec(this.pod)},"status":${status(this.pod)}}`;
  }
}

function metadata(pod: Pod, version: number): string {
  const created = rfc3339(pod.createdAt);
  const owner =
    pod.owner === ""
      ? ""
      : `,"generateName":"${pod.owner}-","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"${pod.owner}","uid":"49f8388a-3d02-4401-b4af-ea0b059a9b09","controller":true,"blockOwnerDeletion":true}]`;
  const annotations =
    Object.keys(pod.annotations).length === 0 ? "" : `,"annotations":${JSON.stringify(pod.annotations)}`;
  const deletion =
    pod.deletion === undefined
      ? ""
      : `,"deletionTimestamp":"${rfc3339(pod.deletion.at)}","deletionGracePeriodSeconds":${String(pod.deletion.graceSeconds)}`;
  const kubelet = pod.container === "none" ? "" : `,${managed("kubelet", created, KUBELET_FIELDS, "status")}`;
  return (
    `{"name":"${pod.name}","namespace":"${pod.namespace}","uid":"${pod.uid}","resourceVersion":"${String(version)}",` +
    `"generation":${String(pod.generation)},"creationTimestamp":"${created}"${deletion},` +
    `"labels":${JSON.stringify(pod.labels)}${annotations}${owner},` +
    `"managedFields":[${managed("kube-controller-manager", created, CONTROLLER_FIELDS)}${kubelet}]}`
  );
}

const managed = (manager: string, time: string, fields: string, subresource = ""): string =>
  `{"manager":"${manager}","operation":"Update","apiVersion":"v1","time":"${time}","fieldsType":"FieldsV1","fieldsV1":${fields}${subresource === "" ? "" : `,"subresource":"${subresource}"`}}`;

/** `{"f:a":{},"f:b":{}}` of the names given. */
const fieldSet = (...names: readonly string[]): string =>
  `{${names.map((name) => (name.includes("{") ? name : `"f:${name}":{}`)).join(",")}}`;
const inside = (name: string, set: string): string => `"f:${name}":${set}`.replace(/^"f:k:/, '"k:');

const CONTROLLER_FIELDS = `{${inside(
  "metadata",
  fieldSet(
    "generateName",
    inside("labels", fieldSet("app", "pod-template-hash", "app.kubernetes.io/part-of")),
    inside("ownerReferences", '{".":{},"k:{\\"uid\\":\\"49f8388a-3d02-4401-b4af-ea0b059a9b09\\"}":{}}'),
  ),
)},${inside(
  "spec",
  fieldSet(
    `"f:containers":{"k:{\\"name\\":\\"web\\"}":${fieldSet(
      '"f:env":{".":{},"k:{\\"name\\":\\"POD_IP\\"}":{".":{},"f:name":{},"f:valueFrom":{".":{},"f:fieldRef":{}}}}',
      "image",
      "imagePullPolicy",
      "name",
      '"f:ports":{".":{},"k:{\\"containerPort\\":8080,\\"protocol\\":\\"TCP\\"}":{".":{},"f:containerPort":{},"f:name":{},"f:protocol":{}}}',
      '"f:readinessProbe":{".":{},"f:failureThreshold":{},"f:httpGet":{".":{},"f:path":{},"f:port":{},"f:scheme":{}},"f:periodSeconds":{},"f:successThreshold":{},"f:timeoutSeconds":{}}',
      '"f:resources":{".":{},"f:limits":{".":{},"f:memory":{}},"f:requests":{".":{},"f:cpu":{},"f:memory":{}}}',
      "terminationMessagePath",
      "terminationMessagePolicy",
    )}}`,
    "dnsPolicy",
    "enableServiceLinks",
    "restartPolicy",
    "schedulerName",
    "securityContext",
    "terminationGracePeriodSeconds",
  ),
)}}`;

const conditionFields = (type: string): string =>
  `"k:{\\"type\\":\\"${type}\\"}":{".":{},"f:lastProbeTime":{},"f:lastTransitionTime":{},"f:observedGeneration":{},"f:status":{},"f:type":{}}`;
const CONDITIONS = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"] as const;

const KUBELET_FIELDS = `{"f:status":{"f:conditions":{${CONDITIONS.map(conditionFields).join(",")}},"f:containerStatuses":{},"f:hostIP":{},"f:hostIPs":{},"f:observedGeneration":{},"f:phase":{},"f:podIP":{},"f:podIPs":{".":{},"k:{\\"ip\\":\\"10.244.0.3\\"}":{".":{},"f:ip":{}}},"f:startTime":{}}}`;

const CONTAINERS =
  '"containers":[{"name":"web","image":"registry.example/web:1","ports":[{"name":"http","containerPort":8080,"protocol":"TCP"}],' +
  '"env":[{"name":"POD_IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}}],' +
  '"resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"10m","memory":"16Mi"}},' +
  '"volumeMounts":[{"name":"kube-api-access-2bjpc","readOnly":true,"mountPath":"/var/run/secrets/kubernetes.io/serviceaccount"}],' +
  '"readinessProbe":{"httpGet":{"path":"/readyz","port":"http","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":1,"successThreshold":1,"failureThreshold":3},' +
  '"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}]';
const VOLUMES =
  '"volumes":[{"name":"kube-api-access-2bjpc","projected":{"sources":[{"serviceAccountToken":{"expirationSeconds":3607,"path":"token"}},' +
  '{"configMap":{"name":"kube-root-ca.crt","items":[{"key":"ca.crt","path":"ca.crt"}]}},' +
  '{"downwardAPI":{"items":[{"path":"namespace","fieldRef":{"apiVersion":"v1","fieldPath":"metadata.namespace"}}]}}],"defaultMode":420}}]';
const TOLERATIONS =
  '"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300},' +
  '{"key":"node.kubernetes.io/unreachable","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}]';

function spec(pod: Pod): string {
  const node = pod.nodeName === "" ? "" : `"nodeName":"${pod.nodeName}",`;
  const host = pod.hostNetwork ? '"hostNetwork":true,' : "";
  return (
    `{${VOLUMES},${CONTAINERS},"restartPolicy":"Always","terminationGracePeriodSeconds":${String(pod.terminationGraceSeconds)},` +
    `"dnsPolicy":"ClusterFirst","serviceAccountName":"default","serviceAccount":"default",${node}${host}"securityContext":{},` +
    `"schedulerName":"default-scheduler",${TOLERATIONS},"priority":0,"enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"}`
  );
}

function status(pod: Pod): string {
  if (pod.nodeName === "") return `{"phase":"${pod.phase}","qosClass":"Burstable"}`;
  const at = rfc3339(pod.createdAt);
  const condition = (type: string, holds: boolean, reason = ""): string =>
    `{"type":"${type}","observedGeneration":${String(pod.observedGeneration)},"status":"${holds ? "True" : "False"}","lastProbeTime":null,"lastTransitionTime":"${at}"${reason === "" ? "" : `,"reason":"${reason}"`}}`;
  const scheduled = condition("PodScheduled", true);
  if (pod.container === "none") {
    return `{"phase":"${pod.phase}","conditions":[${scheduled}],"qosClass":"Burstable"}`;
  }
  const ready = pod.container === "ready";
  const why = ready ? "" : pod.container === "terminated" ? "PodCompleted" : "ContainersNotReady";
  const conditions = [
    condition("PodReadyToStartContainers", pod.sandbox),
    condition("Initialized", true),
    condition("Ready", ready, why),
    condition("ContainersReady", ready, why),
    scheduled,
  ].join(",");
  const ips =
    pod.addresses.length === 0
      ? ""
      : `"podIP":"${pod.addresses[0] ?? ""}","podIPs":[${pod.addresses.map((ip) => `{"ip":"${ip}"}`).join(",")}],`;
  return (
    `{"observedGeneration":${String(pod.observedGeneration)},"phase":"${pod.phase}","conditions":[${conditions}],` +
    `"hostIP":"${pod.hostIp}","hostIPs":[{"ip":"${pod.hostIp}"}],${ips}"startTime":"${at}",` +
    `"containerStatuses":[{"name":"web","state":${containerState(pod, at)},"lastState":{},"ready":${String(ready)},"restartCount":0,` +
    '"image":"registry.example/web:1","imageID":"sha256:185237dc5a4960bd7efce77a00a37c0b9ebd27e90280883e649b59e815ea46d7",' +
    `"started":${String(ready)},"volumeMounts":[{"name":"kube-api-access-2bjpc","mountPath":"/var/run/secrets/kubernetes.io/serviceaccount","readOnly":true,"recursiveReadOnly":"Disabled"}]}],"qosClass":"Burstable"}`
  );
}

function containerState(pod: Pod, at: string): string {
  if (pod.container === "waiting") return '{"waiting":{"reason":"ContainerCreating"}}';
  if (pod.container !== "terminated") return `{"running":{"startedAt":"${at}"}}`;
  const reason = pod.exitCode === 0 ? "Completed" : "Error";
  return `{"terminated":{"exitCode":${String(pod.exitCode)},"reason":"${reason}","startedAt":"${at}","finishedAt":"${at}"}}`;
}
