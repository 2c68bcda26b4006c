import "@podgate/fortios-simulator/reflect";
import type { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY = 86_400_000;
const DAYS = 30;

export interface Pair {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Issued {
  readonly commonName: string;
  /** Kubernetes takes the organization of a client certificate for its group. */
  readonly organization?: string;
  /** Names and addresses of a server; without any it is a client's certificate. */
  readonly hosts?: readonly string[];
}

/** A certificate authority that lives in this process. */
export interface Authority {
  readonly certificate: string;
  readonly issue: (wanted: Issued) => Promise<Pair>;
}

/** @param days until it and what it issues expire */
export async function makeAuthority(commonName: string, days = DAYS): Promise<Authority> {
  x509.cryptoProvider.set(globalThis.crypto);
  const keys = await newKeys();
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(days),
    serialNumber: "01",
    name: `CN=${commonName}`,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  let serial = 1;
  return {
    certificate: own.toString("pem"),
    issue: async ({ commonName: name, organization, hosts = [] }) => {
      serial += 1;
      const subjectKeys = await newKeys();
      const usage = hosts.length > 0 ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
      const certificate = await x509.X509CertificateGenerator.create({
        ...validity(days),
        serialNumber: serial.toString(16).padStart(2, "0"),
        subject: organization === undefined ? `CN=${name}` : `O=${organization}, CN=${name}`,
        issuer: own.subject,
        publicKey: subjectKeys.publicKey,
        signingKey: keys.privateKey,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([usage]),
          ...(hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension(hosts.map(nameOf))] : []),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      return { certificate: certificate.toString("pem"), key: await pem(subjectKeys.privateKey) };
    },
  };
}

/** The key pair that signs tokens of service accounts. */
export async function makeSigningKeys(): Promise<{
  readonly publicKey: string;
  readonly privateKey: string;
}> {
  const keys = await newKeys();
  const spki = await crypto.subtle.exportKey("spki", keys.publicKey);
  return { publicKey: x509.PemConverter.encode(spki, "PUBLIC KEY"), privateKey: await pem(keys.privateKey) };
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

function validity(days: number) {
  const now = Date.now();
  return {
    notBefore: new Date(now - DAY),
    notAfter: new Date(now + days * DAY),
    signingAlgorithm: ALGORITHM,
  };
}

function nameOf(host: string): x509.JsonGeneralName {
  return { type: /^[\d.]+$/.test(host) || host.includes(":") ? "ip" : "dns", value: host };
}
