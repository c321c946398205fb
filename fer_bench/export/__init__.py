"""A trained cell as a folder of its own: weights, settings, model card, loader, and on request ONNX; and on the hub."""

from fer_bench.export.hub import PREFIX, checked, upload
from fer_bench.export.write import export

__all__ = ["PREFIX", "checked", "export", "upload"]
