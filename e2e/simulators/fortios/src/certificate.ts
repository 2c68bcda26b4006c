import "./reflect.ts";
import * as x509 from "@peculiar/x509";

/** PEM texts: the authority to trust, and the server's key and certificate (with the authority's behind it). */
export interface Certificates {
  readonly ca: string;
  readonly key: string;
  readonly certificate: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 86_400_000;

/** A new authority and a server certificate for these names and addresses. */
export async function makeCertificates(hosts: readonly string[], now: number): Promise<Certificates> {
  x509.cryptoProvider.set(globalThis.crypto);
  const validity = {
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + 30 * DAY),
    signingAlgorithm: ALGORITHM,
  };
  const authorityKeys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: "01",
    name: "CN=FortiOS simulator CA",
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const serverKeys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const names = hosts.map((host): x509.JsonGeneralName => ({
    type: isAddress(host) ? "ip" : "dns",
    value: host,
  }));
  const server = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: "02",
    subject: "CN=FortiOS simulator",
    issuer: authority.subject,
    publicKey: serverKeys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  });
  const der = await crypto.subtle.exportKey("pkcs8", serverKeys.privateKey);
  return {
    ca: authority.toString("pem"),
    key: x509.PemConverter.encode(der, "PRIVATE KEY"),
    certificate: `${server.toString("pem")}\n${authority.toString("pem")}`,
  };
}

function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(":");
}
