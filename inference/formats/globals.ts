// The names that a model file may use, and what to tell its owner when it uses another one.
import { shown } from './byte-reader.ts';
import { ModelError } from '../model/errors.ts';

/** What an allowed name stands for. */
export type Role =
  | 'estimator'
  | 'ndarray'
  | 'dtype'
  | 'reconstruct'
  | 'fromBuffer'
  | 'scalar'
  | 'arrayWrapper'
  | 'reconstructor'
  | 'object'
  | 'encode'
  | 'randomState'
  | 'dictionary';

const ALLOWED: ReadonlyMap<string, Role> = new Map<string, Role>([
  ['numpy.ndarray', 'ndarray'],
  ['numpy.dtype', 'dtype'],
  // numpy 1 and numpy 2
  ['numpy.core.multiarray._reconstruct', 'reconstruct'],
  ['numpy._core.multiarray._reconstruct', 'reconstruct'],
  ['numpy.core.multiarray.scalar', 'scalar'],
  ['numpy._core.multiarray.scalar', 'scalar'],
  ['numpy.core.numeric._frombuffer', 'fromBuffer'],
  ['numpy._core.numeric._frombuffer', 'fromBuffer'],
  ['joblib.numpy_pickle.NumpyArrayWrapper', 'arrayWrapper'],
  // protocols 0 and 1, under the names of Python 3 and 2
  ['copyreg._reconstructor', 'reconstructor'],
  ['copy_reg._reconstructor', 'reconstructor'],
  ['builtins.object', 'object'],
  ['__builtin__.object', 'object'],
  ['_codecs.encode', 'encode'],
  // dictionaries of another class: read as plain ones
  ['collections.OrderedDict', 'dictionary'],
  ['collections.defaultdict', 'dictionary'],
  // random_state given as a RandomState, and generators: kept by scikit-learn, of no use for predictions
  ['numpy.random._pickle.__randomstate_ctor', 'randomState'],
  ['numpy.random._pickle.__bit_generator_ctor', 'randomState'],
  ['numpy.random._pickle.__generator_ctor', 'randomState'],
  ['numpy.random._mt19937.MT19937', 'randomState'],
  ['numpy.random._pcg64.PCG64', 'randomState'],
  ['numpy.random.bit_generator.SeedSequence', 'randomState'],
  ['numpy.random.bit_generator.__pyx_unpickle_SeedSequence', 'randomState'],
]);

/** Names that may be called (REDUCE). */
const CALLABLE: ReadonlySet<Role> = new Set<Role>([
  'estimator',
  'dtype',
  'reconstruct',
  'fromBuffer',
  'scalar',
  'reconstructor',
  'encode',
  'randomState',
  'dictionary',
]);
/** Classes of which an object may be made without calling anything (NEWOBJ). */
const INSTANTIABLE: ReadonlySet<Role> = new Set<Role>(['estimator', 'arrayWrapper']);

const MODEL_LIBRARIES = /^(sklearn|xgboost|lightgbm|catboost|imblearn)\./;
const OLD_MODULES = /^sklearn\.(ensemble\.(forest|weight_boosting|gradient_boosting)|tree\.tree)\./;

/** The role of a name; `estimators` are allowed beside numpy's and joblib's own. Throws ModelError for one that is on neither list. */
export function roleOf(path: string, estimators: ReadonlySet<string>, offset: number): Role {
  const role = ALLOWED.get(path) ?? (estimators.has(path) ? 'estimator' : undefined);
  if (role !== undefined) return role;
  throw refusal(path, offset);
}

function refusal(path: string, offset: number): ModelError {
  const name = shown(path);
  if (OLD_MODULES.test(path)) {
    return new ModelError(
      'UnsupportedModel',
      `${name} (byte ${offset}): written by scikit-learn 0.21 or older; load it and save it again with 1.2 or newer`,
    );
  }
  if (MODEL_LIBRARIES.test(path)) {
    return new ModelError(
      'UnsupportedModel',
      `${name} (byte ${offset}) is not supported: use an estimator of docs/models.md, or serve this file with an image of your own (runtime.image)`,
    );
  }
  return new ModelError(
    'UnsupportedModel',
    `${name} (byte ${offset}) is not a name that a model file may use; nothing was run. If you trust the file, save only the fitted estimator`,
  );
}

export function mayBeCalled(role: Role): boolean {
  return CALLABLE.has(role);
}

export function mayBeInstantiated(role: Role): boolean {
  return INSTANTIABLE.has(role);
}
