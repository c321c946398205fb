"""A trained cell as a folder of its own: weights, settings, model card, loader, and on request ONNX."""

from fer_bench.export.write import export

__all__ = ["export"]
