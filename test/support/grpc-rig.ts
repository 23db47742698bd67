// A server with the iris forest and a port for gRPC, and requests for it.
import { freePorts } from '../cluster/ports.ts';
import { fixturePath, startInference } from './inference-rig.ts';
import type { Rig } from './inference-rig.ts';
import { goldenOf } from './model-fixtures.ts';

const golden = goldenOf('iris-sk132');
const rows = golden.inputs.slice(0, 5).map((row) => row.map(Number));

/** Five rows of the forest's golden file, one after the other, and what scikit-learn answers to them. */
export const flat = rows.flat();
export const labels = golden.predict.slice(0, 5);
export const probabilities = golden.predict_proba.slice(0, 5).flat();
export const raw = Buffer.from(Float64Array.from(flat).buffer);

/** Statuses of gRPC. */
export const CODE = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
} as const;

export async function startGrpc(env: Record<string, string> = {}, options = {}): Promise<Rig> {
  const [port = 0] = await freePorts(1);
  return startInference(
    { MODEL_PATH: fixturePath('iris-sk132'), MODEL_DEPLOYMENT: 'iris', GRPC_PORT: String(port), ...env },
    options,
  );
}

/** An input of five rows, without its contents. */
export const tensor = (more: object = {}) => ({ name: 'x', datatype: 'FP64', shape: [5, 4], ...more });

/** A ModelInferRequest with the five rows. */
export const typed = (more: object = {}) => ({
  modelName: 'iris',
  inputs: [tensor({ contents: { fp64Contents: flat } })],
  ...more,
});
