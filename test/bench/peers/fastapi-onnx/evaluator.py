"""python evaluator.py MODEL_TAR_GZ MODEL_ONNX ROWS: microseconds a row of scikit-learn and onnxruntime, as JSON."""

import io
import json
import sys
import tarfile
import time

import joblib
import numpy as np
import onnxruntime

BATCH = 100

with tarfile.open(sys.argv[1]) as archive:
    model = joblib.load(io.BytesIO(archive.extractfile("model.joblib").read()))
model.n_jobs = 1
if hasattr(model, "feature_names_in_"):
    del model.feature_names_in_
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[2], options, providers=["CPUExecutionProvider"])
outputs = [session.get_outputs()[1].name]
with open(sys.argv[3], encoding="utf-8") as file:
    rows = np.array(json.load(file))


def timed(call, inputs, calls):
    for at in range(calls // 10):
        call(inputs[at % len(inputs)])
    start = time.perf_counter()
    for at in range(calls):
        call(inputs[at % len(inputs)])
    return (time.perf_counter() - start) / calls * 1e6


def onnx(row):
    return session.run(outputs, {"input": row})


singles = [rows[at : at + 1] for at in range(len(rows))]
batches = [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]
narrow = [row.astype(np.float32) for row in singles]
narrow_batches = [batch.astype(np.float32) for batch in batches]
assert np.allclose(onnx(narrow_batches[0])[0], model.predict_proba(batches[0]), atol=1e-5)
print(
    json.dumps(
        {
            "scikit-learn": {
                "single": timed(model.predict_proba, singles, 300),
                "batch": timed(model.predict_proba, batches, 100) / BATCH,
            },
            "onnxruntime": {"single": timed(onnx, narrow, 50_000), "batch": timed(onnx, narrow_batches, 1_000) / BATCH},
        }
    )
)
