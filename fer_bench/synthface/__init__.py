"""Procedural faces with exact landmarks and action units: the embedded default dataset."""

from fer_bench.synthface.generate import generate
from fer_bench.synthface.settings import PRESETS, SynthSettings
from fer_bench.synthface.sheet import contact_sheet

__all__ = ["PRESETS", "SynthSettings", "contact_sheet", "generate"]
