import type { Device } from "./device.ts";

const escape = (text: string): string =>
  text.replace(
    /[&<>"]/g,
    (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char] ?? char,
  );

/** The groups as they are now, for people; it reloads every second. */
export function groupsPage(device: Device): string {
  const sections = device.configuration.names().map((vdom) => {
    const groups = [...device.groups(vdom, "ipv4"), ...device.groups(vdom, "ipv6")];
    const rows = groups.map(
      (group) =>
        `<tr><td>${escape(group.name)}</td><td>${group.family}</td><td>${String(group.addresses.length)}</td>` +
        `<td>${escape(group.addresses.slice(0, 200).join(", "))}</td>` +
        `<td>${escape(group.members.slice(0, 50).join(", "))}</td><td>${String(group.used)}</td>` +
        `<td>${escape(group.comment)}</td></tr>`,
    );
    return (
      `<h2>VDOM ${escape(vdom)}</h2><table><tr><th>group</th><th>family</th><th>addresses</th><th>resolved</th>` +
      `<th>members</th><th>used by</th><th>comment</th></tr>${rows.join("\n")}</table>`
    );
  });
  const { profile, serial, settings } = device;
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="1">
<title>${escape(settings.hostname)}</title><style>
body{font:14px system-ui;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:3px 8px;text-align:left;vertical-align:top}
</style></head><body><h1>${escape(settings.hostname)} (simulated FortiOS ${profile.version}, ${escape(serial)})</h1>
<p>${String(device.log.entries({ writes: true }).length)} writes of ${String(device.log.entries().length)} requests</p>
${sections.join("\n")}</body></html>
`;
}
