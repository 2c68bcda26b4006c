import { membersWildcard, pokeSubject, stateSubject, streamOf } from "../contract/subjects.ts";
import { clusterStatusKey, STATUS_BUCKET, targetStatusKey } from "../contract/status.ts";
import { bucketStream } from "./stream-wire.ts";
import { EVERY_SUBJECT } from "./subjects.ts";
import { PUSHER_BUCKET } from "./topology.ts";

/** What a NATS user may do; everything else is denied. The server's own form: `permissions` of a user. */
export interface Permissions {
  readonly publish: { readonly allow: readonly string[] };
  readonly subscribe: { readonly allow: readonly string[] };
}

export const clusterInbox = (cluster: string): string => `_INBOX_${cluster}`;
export const PUSHER_INBOX = "_INBOX_podgate-pusher";

/**
 * One cluster's user: it writes the subjects of its own stream, reads that stream and its own keys of the status
 * bucket, and hears its own pokes. No Direct Get, no info of the bucket (it would list other clusters' keys), no
 * stream or bucket is made, changed, purged or deleted.
 */
export function clusterPermissions(cluster: string): Permissions {
  const stream = streamOf(cluster);
  const status = bucketStream(STATUS_BUCKET);
  return {
    publish: {
      allow: [
        membersWildcard(cluster),
        stateSubject(cluster),
        `$JS.API.STREAM.INFO.${stream}`,
        `$JS.API.STREAM.MSG.GET.${stream}`,
        ...reading(stream, [EVERY_SUBJECT]),
        ...reading(status, [
          `$KV.${STATUS_BUCKET}.${clusterStatusKey(cluster)}`,
          `$KV.${STATUS_BUCKET}.${targetStatusKey(cluster, "*")}`,
        ]),
      ],
    },
    subscribe: { allow: [`${clusterInbox(cluster)}.>`, pokeSubject(cluster)] },
  };
}

/** The pusher's user: it makes and reads the streams of its clusters, but can write no member of any. */
export function pusherPermissions(clusters: readonly string[]): Permissions {
  const allow: string[] = [];
  for (const cluster of clusters) {
    const stream = streamOf(cluster);
    allow.push(...making(stream), ...reading(stream, [EVERY_SUBJECT]), pokeSubject(cluster));
  }
  for (const bucket of [STATUS_BUCKET, PUSHER_BUCKET]) {
    const stream = bucketStream(bucket);
    allow.push(...making(stream), ...reading(stream, [`$KV.${bucket}.>`]), `$KV.${bucket}.>`);
  }
  return { publish: { allow }, subscribe: { allow: [`${PUSHER_INBOX}.>`] } };
}

const making = (stream: string): string[] => [
  `$JS.API.STREAM.CREATE.${stream}`,
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
];

const reading = (stream: string, filters: readonly string[]): string[] => [
  ...filters.map((filter) => `$JS.API.CONSUMER.CREATE.${stream}.*.${filter}`),
  ...["INFO", "DELETE", "MSG.NEXT"].map((verb) => `$JS.API.CONSUMER.${verb}.${stream}.*`),
];
