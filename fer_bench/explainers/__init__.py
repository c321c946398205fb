"""Explainers: where a trained classifier looked, asked after training."""

from fer_bench.explainers._contributions import contributions
from fer_bench.explainers._explain import explain, explain_all, supported
from fer_bench.explainers._forward import precise

__all__ = ["contributions", "explain", "explain_all", "precise", "supported"]
