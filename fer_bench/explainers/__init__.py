"""Explainers: where a trained classifier looked, asked after training."""

from fer_bench.explainers._explain import explain, explain_all, supported

__all__ = ["explain", "explain_all", "supported"]
