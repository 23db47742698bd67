"""What a good Python team would write today for the same request: pydantic, one numpy row, onnxruntime with one thread, orjson, uvloop."""

import json
import os
import tarfile
import uuid
from datetime import datetime

import numpy as np
import onnxruntime
from fastapi import FastAPI
from fastapi.responses import ORJSONResponse
from pydantic import BaseModel

with tarfile.open(os.environ["MODEL_PATH"]) as archive:
    METADATA = json.load(archive.extractfile("metadata.json"))
FEATURES = METADATA["features"]
LABELS = ["Low", "Medium", "High"]

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["ONNX_PATH"], options, providers=["CPUExecutionProvider"])
PROBABILITIES = [session.get_outputs()[1].name]

app = FastAPI(default_response_class=ORJSONResponse)


class Basket(BaseModel):
    basket_items: dict[str, dict]
    customer_id: str | None = None
    store_id: str | None = None


def row_of(basket):
    items = basket.basket_items.values()
    total = 0
    value = 0.0
    high = 0
    counts = {}
    for item in items:
        quantity = item.get("quantity", 1)
        price = item.get("price", 0)
        total += quantity
        value += price * quantity
        high += price > 50
        category = item.get("category", "unknown")
        counts[category] = counts.get(category, 0) + quantity
    features = {
        "total_items": total,
        "total_value": value,
        "avg_item_value": value / total if total > 0 else 0,
        "unique_items": len(items),
        "has_customer_id": 1.0 if basket.customer_id else 0.0,
        "has_store_id": 1.0 if basket.store_id else 0.0,
        "high_value_item_ratio": high / len(items) if items else 0,
    }
    for category, count in counts.items():
        features[f"category_{category}_count"] = count
        features[f"category_{category}_ratio"] = count / total if total > 0 else 0
    return np.array([[features.get(name, 0) for name in FEATURES]], dtype=np.float32)


@app.get("/ready")
async def ready():
    return {"status": "ready"}


@app.post("/predict")
async def predict(basket: Basket):
    [probabilities] = session.run(PROBABILITIES, {"input": row_of(basket)})
    best = int(probabilities[0].argmax())
    return ORJSONResponse(
        {
            "sensitivity": LABELS[best],
            "confidence": float(probabilities[0][best]),
            "prediction_id": str(uuid.uuid4()),
            "model_version": METADATA["version"],
            "timestamp": datetime.utcnow().isoformat(),
        }
    )
