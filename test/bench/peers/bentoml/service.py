"""The same forest behind BentoML, as its documentation shows it: rows in, probabilities out."""

import io
import os
import tarfile

import bentoml
import joblib
import numpy as np

with tarfile.open(os.environ["MODEL_PATH"]) as archive:
    MODEL = joblib.load(io.BytesIO(archive.extractfile("model.joblib").read()))
MODEL.n_jobs = 1


@bentoml.service(workers=1, traffic={"timeout": 30})
class Forest:
    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return MODEL.predict_proba(rows)
