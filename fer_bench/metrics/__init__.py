"""Metrics: scores of predictions and of maps, their averages, and the references they are read against."""

from fer_bench.metrics import references
from fer_bench.metrics._aggregate import Average, macro, micro, per_expression, subsets
from fer_bench.metrics._classification import confusion_matrix, predicted_classes
from fer_bench.metrics._compared import REGION, Found, Pair, Wanted, as_attention, as_cam
from fer_bench.metrics._coverage import coverage
from fer_bench.metrics._face import face_region
from fer_bench.metrics._maps import attention_cosine, cam_cosine, cosine, pearson

__all__ = [
    "REGION",
    "Average",
    "Found",
    "Pair",
    "Wanted",
    "as_attention",
    "as_cam",
    "attention_cosine",
    "cam_cosine",
    "confusion_matrix",
    "cosine",
    "coverage",
    "face_region",
    "macro",
    "micro",
    "pearson",
    "per_expression",
    "predicted_classes",
    "references",
    "subsets",
]
