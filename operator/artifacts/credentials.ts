// What a Secret has to hold for a store. Its keys are the environment variables that pods get of it.
import { authorizationOf } from '../../inference/http-object.ts';
import { sourceFailure, StoreError } from './failure.ts';
import type { S3Credentials } from './s3-reader.ts';

/** `data` of a Secret: base64, as the API server sends it. */
export type SecretData = Readonly<Record<string, string>>;

/** Throws StoreError InvalidCredentials. */
export function s3Credentials(data: SecretData, name: string): S3Credentials {
  const accessKeyId = decoded(data['AWS_ACCESS_KEY_ID']);
  const secretAccessKey = decoded(data['AWS_SECRET_ACCESS_KEY']);
  const sessionToken = decoded(data['AWS_SESSION_TOKEN']);
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw invalid(`Secret ${name} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`);
  }
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) };
}

/** The header for a store of kind http. Throws StoreError InvalidCredentials. */
export function httpAuthorization(data: SecretData, name: string): string {
  const token = decoded(data['MODEL_STORE_TOKEN']);
  const username = decoded(data['MODEL_STORE_USERNAME']);
  const authorization = authorizationOf({ token, username, password: decoded(data['MODEL_STORE_PASSWORD']) });
  if (authorization === undefined) {
    throw invalid(`Secret ${name} needs MODEL_STORE_TOKEN, or MODEL_STORE_USERNAME and MODEL_STORE_PASSWORD`);
  }
  // It travels in a header.
  if (/^[\x20-\x7e]+$/.test(authorization)) return authorization;
  throw invalid(`MODEL_STORE_TOKEN of Secret ${name} must be one line of printable ASCII characters`);
}

/** undefined: missing or empty. People put a newline at the end of a Secret's value without noticing; no key has one. */
function decoded(value: string | undefined): string | undefined {
  const text = Buffer.from(value ?? '', 'base64')
    .toString('utf8')
    .trim();
  return text === '' ? undefined : text;
}

function invalid(message: string): StoreError {
  return new StoreError(sourceFailure('InvalidCredentials', message));
}
