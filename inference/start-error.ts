// What keeps the server from starting is nearly always around it: a port, an address, a directory. One line says which variable to set.

/** The server cannot start. The message is for the person who set it up; there is nothing in the stack for them. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Why a port could not be opened; `variable` is the one that chooses it. */
export function portFailure(variable: string, host: string, port: number, cause: unknown): StartError {
  const code = codeOf(cause);
  const explain = (why: string) => new StartError(why, { cause });
  if (code === 'EADDRINUSE')
    return explain(`${variable}: port ${port} of ${host} is taken: end what uses it or set another`);
  if (code === 'EACCES') return explain(`${variable}: this process may not open port ${port}: set one from 1024 on`);
  return explain(`HOST: cannot listen on ${host} (${code}): set an address of this machine, or 0.0.0.0 for all`);
}

/** Why the directory for artifacts cannot be used. */
export function directoryFailure(dir: string, cause: unknown): StartError {
  const code = codeOf(cause);
  const why = ['EEXIST', 'ENOTDIR'].includes(code) ? 'is not a directory' : `cannot be written (${code})`;
  return new StartError(`ARTIFACT_DIR: ${dir} ${why}: set a directory that this process may write`, { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
