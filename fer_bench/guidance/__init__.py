"""Guidance: which map the attention of a classifier is aligned with while it trains, and how."""

from fer_bench.guidance._alignment import alignment_loss
from fer_bench.guidance._attention import attention_map

__all__ = ["alignment_loss", "attention_map"]
