// What the command line of the server says of itself: it has no settings, the environment has them.

const HELP = `The model server: reads a model file, answers predictions, and takes the next version of the file without losing a request.

Settings are environment variables; those that most begin with:

  MODEL_PATH                 file or directory with the model; default model/model.tar.gz
  AWS_REGION, MODEL_BUCKET, MODEL_KEY
                             a model in S3 instead; AWS_ENDPOINT_URL_S3 for another S3 server
  MODEL_POLL_SECONDS         looks so often whether the model has changed; default 0, never
  PORT                       predictions; default 8080
  ADMIN_TOKEN, ADMIN_PORT    reloads by POST /model/reload with this bearer token; default port 8081, off without a token
  SERVING_THREADS            threads that answer; default as many as there are whole cores

All of them are in docs/configuration.md of the project; what a model file may be is in docs/models.md.
`;

/** What to print for these arguments, and how the process ends then; undefined: there are none. */
export function helpFor(args: readonly string[]): { readonly text: string; readonly code: number } | undefined {
  const [first] = args;
  if (first === undefined) return undefined;
  if (first === '--help' || first === '-h') return { text: HELP, code: 0 };
  return {
    text: `The server takes no arguments, and was given "${first}". Settings are environment variables: --help\n`,
    code: 1,
  };
}
