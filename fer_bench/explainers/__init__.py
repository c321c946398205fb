"""Explainers: where a trained classifier looked, asked after training."""

from fer_bench.explainers._contributions import contributions
from fer_bench.explainers._explain import explain, explain_all, supported

__all__ = ["contributions", "explain", "explain_all", "supported"]
