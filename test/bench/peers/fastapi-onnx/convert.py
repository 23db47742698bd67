"""python convert.py MODEL_TAR_GZ MODEL_ONNX: the forest of an artifact as ONNX, probabilities as a plain array."""

import io
import sys
import tarfile

import joblib
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType

with tarfile.open(sys.argv[1]) as archive:
    model = joblib.load(io.BytesIO(archive.extractfile("model.joblib").read()))
converted = to_onnx(
    model,
    initial_types=[("input", FloatTensorType([None, model.n_features_in_]))],
    options={id(model): {"zipmap": False}},
)
with open(sys.argv[2], "wb") as file:
    file.write(converted.SerializeToString())
