// One exact version of an object in a store: what it is, when two are the same, and where its SHA-256 comes from.

/** An object as the store described it. `store` is a name in the operator's configuration. */
export interface ResolvedArtifact {
  readonly store: string;
  readonly bucket: string;
  readonly key: string;
  /** Only where versioning is enabled: a suspended bucket says "null" for ever. */
  readonly versionId?: string;
  /** An opaque change token, never a hash of the content. */
  readonly etag?: string;
  /** Lower-case hex. */
  readonly sha256?: string;
  /** Bytes. */
  readonly size?: number;
  /** RFC 3339. */
  readonly lastModified?: string;
}

/** What a user may fix about a model: either pin stops automatic updates. */
export interface Pins {
  readonly versionId?: string | undefined;
  readonly sha256?: string | undefined;
}

/** What a store says about one object, before it is judged. */
export interface ObjectFacts {
  readonly versionId?: string | undefined;
  readonly etag?: string | undefined;
  readonly size?: number | undefined;
  readonly lastModified?: Date | undefined;
  /** S3's ChecksumSHA256: base64, with `-N` behind it when it is made of the checksums of N parts. */
  readonly checksumSha256?: string | undefined;
  /** S3's ChecksumType. */
  readonly checksumType?: string | undefined;
  /** Object metadata `sha256`. */
  readonly metadataSha256?: string | undefined;
}

const HEX_SHA256 = /^[0-9a-f]{64}$/;
const BASE64_SHA256 = /^[A-Za-z0-9+/]{43}=$/;

/** The VersionId, unless it is the "null" of a bucket whose versioning is suspended or was never on. */
export function enabledVersionId(versionId: string | undefined): string | undefined {
  return versionId === undefined || versionId === '' || versionId === 'null' ? undefined : versionId;
}

/** Hex of S3's ChecksumSHA256; undefined when it is not a hash of the whole object. */
export function fullObjectSha256(checksum: string | undefined, type?: string): string | undefined {
  if (checksum === undefined || type === 'COMPOSITE' || !BASE64_SHA256.test(checksum)) return undefined;
  const bytes = Uint8Array.from(atob(checksum), (character) => character.charCodeAt(0));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** SHA-256 that the store knows: its own full-object checksum first, then the object metadata `sha256`. */
export function storedSha256(facts: ObjectFacts): string | undefined {
  const checksum = fullObjectSha256(facts.checksumSha256, facts.checksumType);
  if (checksum !== undefined) return checksum;
  const metadata = facts.metadataSha256?.toLowerCase();
  return metadata !== undefined && HEX_SHA256.test(metadata) ? metadata : undefined;
}

/** An artifact from the store's description of it. */
export function artifactFrom(
  place: { readonly store: string; readonly bucket: string; readonly key: string },
  facts: ObjectFacts,
): ResolvedArtifact {
  const versionId = enabledVersionId(facts.versionId);
  const sha256 = storedSha256(facts);
  return {
    store: place.store,
    bucket: place.bucket,
    key: place.key,
    ...(versionId !== undefined && { versionId }),
    ...(facts.etag !== undefined && { etag: facts.etag }),
    ...(sha256 !== undefined && { sha256 }),
    ...(facts.size !== undefined && { size: facts.size }),
    ...(facts.lastModified !== undefined && { lastModified: facts.lastModified.toISOString() }),
  };
}

/** What makes two artifacts the same: the VersionId where there is one, else the ETag, else all that is known. */
export function identityOf(artifact: ResolvedArtifact): string {
  const versionId = enabledVersionId(artifact.versionId);
  if (versionId !== undefined) return `version:${versionId}`;
  if (artifact.etag !== undefined) return `etag:${artifact.etag}`;
  return `object:${artifact.lastModified ?? ''}:${artifact.size ?? ''}`;
}

/** The artifact with the SHA-256 that the user demands: it wins over the store's, so that pods refuse other bytes. */
export function withPin(artifact: ResolvedArtifact, pins: Pins): ResolvedArtifact {
  return pins.sha256 === undefined ? artifact : { ...artifact, sha256: pins.sha256 };
}

/** Whether known bytes are what the user pinned, so that nothing newer at the key matters. False without a pin. */
export function satisfiesPins(known: Pick<ResolvedArtifact, 'versionId' | 'sha256'>, pins: Pins): boolean {
  if (pins.versionId === undefined && pins.sha256 === undefined) return false;
  if (pins.versionId !== undefined && pins.versionId !== known.versionId) return false;
  return pins.sha256 === undefined || pins.sha256 === known.sha256;
}

/** Whether the store can still give these bytes after another upload to the same key. */
export function isDurable(artifact: Pick<ResolvedArtifact, 'versionId'>): boolean {
  return enabledVersionId(artifact.versionId) !== undefined;
}
