"""Photographs explained: what a trained network predicts, where it looks, which action units that visits."""

from fer_bench.explanation._explain import explain, trained
from fer_bench.explanation.explanation import Explanation

__all__ = ["Explanation", "explain", "trained"]
