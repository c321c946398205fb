"""An exported network as ONNX: images in, logits and attention out; packages of the extra `export`."""

import importlib.util
from pathlib import Path

import torch
from torch import nn

from fer_bench.classifier import Classifier
from fer_bench.errors import InputError

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
EXTRA = "fer_bench[export]"
OPSET = 18
INPUT, OUTPUTS = "images", ("logits", "attention")


class Pair(nn.Module):
    """A classifier that returns a pair: logits (B, K) and attention (B, h, w) of the last layer."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (B, 3, S, S), RGB in [0, 1]."""
        output = self.classifier(images)
        return output.logits, output.features[max(output.features)].mean(dim=1)


def missing_packages() -> list[str]:
    """Names of the packages that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def need_packages() -> None:
    """Raise InputError where a package is missing; it names the extra."""
    if missing := missing_packages():
        raise InputError(f"--onnx: {', '.join(missing)} not installed; pip install '{EXTRA}' installs what is needed")


def write(classifier: Classifier, path: Path) -> None:
    """Write one file that holds its weights; batches of any size, the input size is fixed."""
    side = classifier.section.input_size
    example = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    program = torch.onnx.export(
        Pair(classifier).eval(),
        (example,),
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # with `dynamo` torch returns the program
    program.save(str(path), external_data=False)


def run(path: Path, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Run a file on the CPU: images (B, 3, S, S) -> logits (B, K), attention (B, h, w)."""
    import onnxruntime  # noqa: PLC0415 - an optional package

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits, attention = session.run(list(OUTPUTS), {INPUT: images.numpy()})
    return torch.from_numpy(logits), torch.from_numpy(attention)
