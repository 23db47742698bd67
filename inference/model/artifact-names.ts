// Names of the files in an artifact.

export const METADATA = 'metadata.json';
export const MODEL_FILES = [
  'model.joblib',
  'model.pkl',
  'model.json',
  'model.ubj',
  'model.bst',
  'model.txt',
  'model.onnx',
];
