// Where the artifacts of a configuration come from, and the one that the process was started for.
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { Artifacts } from './model/artifacts.ts';
import { fetchFromSibling } from './model/sibling.ts';
import type { LoadRequest } from './model/load-request.ts';
import { fileStore } from './model/file-store.ts';
import type { Store } from './model/store.ts';

/** What speaks to a store is loaded only where there is one: the SDK for S3 takes 40 MB, TLS 5. */
export async function storeOf({ origin, storeAuthorization: authorization }: Config): Promise<Store> {
  if (origin.kind === 'file') return fileStore(origin.path);
  const { store: settings, bucket } = origin.artifact;
  if (settings.kind === 'http') {
    const { httpStore } = await import('./model/http.ts');
    return httpStore({ settings, bucket, authorization });
  }
  const { s3Store } = await import('./model/s3.ts');
  return s3Store({ settings, bucket });
}

/** `retryMs`: see `Artifacts`. */
export function artifactsOf(
  config: Config,
  store: Store,
  log: Logger,
  retryMs: readonly number[] | undefined,
): Artifacts {
  const { siblings: base, adminToken: token } = config;
  return new Artifacts({
    store,
    dir: config.artifactDir,
    limits: { maxBytes: config.maxArtifactBytes, stallMs: config.stallMs },
    log,
    ...(retryMs && { retryMs }),
    ...(base !== undefined &&
      token !== undefined && {
        sibling: (sha256, path, limits, signal) => fetchFromSibling({ base, token, sha256 }, path, limits, signal),
      }),
  });
}

/** What the process was started for. */
export function firstRequest({ origin, sequence, revision }: Config): LoadRequest {
  const fencing = { sequence, keep: [], ...(revision !== undefined && { revision }) };
  if (origin.kind === 'file') return { key: origin.path, ...fencing };
  const { key, versionId, etag, sha256, size } = origin.artifact;
  return { key, versionId, etag, sha256, size, ...fencing };
}
