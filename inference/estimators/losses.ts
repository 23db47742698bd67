// The loss functions of scikit-learn, which stand in the files of boosted trees.

const LOSS_NAMES = [
  'HalfBinomialLoss',
  'HalfMultinomialLoss',
  'ExponentialLoss',
  'HalfSquaredError',
  'AbsoluteError',
  'PinballLoss',
  'HuberLoss',
  'HalfPoissonLoss',
  'HalfGammaLoss',
];
/** Modules and classes of the losses, which tell how a model was trained: it is read from `loss`, these are not looked at. */
export const LOSSES: readonly string[] = [
  ...LOSS_NAMES.flatMap((name) => [
    `sklearn._loss.loss.${name}`,
    `sklearn._loss._loss.Cy${name}`,
    `sklearn._loss._loss.__pyx_unpickle_Cy${name}`,
    // as builds of scikit-learn 1.5 to 1.8 call the module
    `_loss.Cy${name}`,
    `_loss.__pyx_unpickle_Cy${name}`,
  ]),
  ...['Interval', 'IdentityLink', 'LogLink', 'LogitLink', 'HalfLogitLink', 'MultinomialLogit'].map(
    (name) => `sklearn._loss.link.${name}`,
  ),
];
