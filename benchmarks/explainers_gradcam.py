"""GradCAM, GradCAM++ and LayerCAM of ResNet50 at 224 px: beside a bare forward pass, and beside the `grad-cam` package.

    python benchmarks/explainers_gradcam.py [--rounds 7] [--batch 16] [--device cpu]

One thread. Forward pass and explainers take turns on the same images, in float32 and, where the processor has it, with
bfloat16 autocast, always channels last; the package runs in float32, at the best of its batch sizes, for the class of
each image as ours do. On a CPU the clock counts processor time. Cosines are those of the bfloat16 maps with the float32
ones of the same network.
Target: at least 0.85 of the rate of the forward pass, cosines of at least 0.999; the package's rate is reported.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable

import torch
from _timing import in_turns

from fer_bench import classifier
from fer_bench.explainers import explain
from fer_bench.metrics import cosine

NAMES = {"gradcam": "GradCAM", "gradcampp": "GradCAMPlusPlus", "layercam": "LayerCAM"}
SIDE, SHARE, LIKENESS = 224, 0.85, 0.999
PACKAGE_BATCHES = (1, 8)


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images = torch.nn.functional.interpolate(torch.rand(options.batch, 3, 7, 7), (SIDE, SIDE), mode="bicubic")
    images = images.clamp(0, 1).contiguous(memory_format=torch.channels_last)
    classes = torch.arange(options.batch) % 7
    network = _network(options, images, classes)
    images, classes = images.to(options.device), classes.to(options.device)
    print(f"ResNet50, {SIDE} px, batch {options.batch}, {options.device}, one thread, channels last")
    maps = {kind: _share(network, images, classes, kind, options) for kind in ("float32", "bfloat16")}
    for name in NAMES:
        likeness = float(cosine(maps["float32"][name], maps["bfloat16"][name]).min())
        verdict = "met" if likeness >= LIKENESS else "MISSED"
        print(f"{name}: least cosine of bfloat16 with float32 {likeness:.5f}; target of {LIKENESS}: {verdict}")
    _package(network, images, classes, options)


def _network(options: argparse.Namespace, images: torch.Tensor, classes: torch.Tensor) -> classifier.Classifier:
    """ResNet50 of random weights, batch normalisation set by the images, the head a prototype per class."""
    network = classifier.build({"backbone": "resnet50", "input_size": SIDE}).to(memory_format=torch.channels_last)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(images)
        pooled = network.eval()(images).features[5].mean(dim=(2, 3))
        hits = torch.nn.functional.one_hot(classes, 7).float()
        prototypes = hits.T @ pooled / hits.sum(dim=0)[:, None]
        network.method.head_weight.copy_(prototypes - pooled.mean(dim=0))
    return network.to(options.device)


def _share(
    network: classifier.Classifier,
    images: torch.Tensor,
    classes: torch.Tensor,
    kind: str,
    options: argparse.Namespace,
) -> dict[str, torch.Tensor]:
    """Print each explainer's rate as a share of the forward pass's, and return its maps."""
    precision = torch.autocast(images.device.type, torch.bfloat16, enabled=kind == "bfloat16")

    def forward() -> None:
        with torch.inference_mode(), precision:
            network(images)

    def explained(name: str) -> Callable[[], torch.Tensor]:
        def run() -> torch.Tensor:
            with precision:
                return explain(network, images, classes, name)

        return run

    runs: dict[str, Callable[[], object]] = {"forward": forward, **{name: explained(name) for name in NAMES}}
    times = in_turns(runs, options.rounds, _clock(options.device))
    rate = len(images) / statistics.median(times["forward"])
    print(f"{kind}: forward pass {rate:.1f} images/s")
    for name in NAMES:
        share = statistics.median(bare / took for bare, took in zip(times["forward"], times[name], strict=True))
        print(f"  {name}: share {share:.3f}; target of {SHARE}: {'met' if share >= SHARE else 'MISSED'}")
    return {name: explained(name)() for name in NAMES}


def _package(
    network: classifier.Classifier, images: torch.Tensor, classes: torch.Tensor, options: argparse.Namespace
) -> None:
    """Print how many times faster than the package ours are, in float32."""
    if importlib.util.find_spec("pytorch_grad_cam") is None:
        print("package grad-cam: not installed (extra `dev`); not compared")
        return
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    wrapped = _Logits(network)
    for name, kind in NAMES.items():
        with getattr(pytorch_grad_cam, kind)(wrapped, [network.backbone.net.layer4[-1]]) as cam:

            def theirs(size: int, cam: object = cam) -> Callable[[], object]:
                parts = list(zip(images.split(size), classes.split(size), strict=True))
                return lambda: [cam(some, [ClassifierOutputTarget(int(k)) for k in of]) for some, of in parts]

            def ours(name: str = name) -> object:
                return explain(network, images, classes, name)

            runs = {"ours": ours, **{f"theirs, {size}": theirs(size) for size in PACKAGE_BATCHES}}
            times = in_turns(runs, max(3, options.rounds // 2), _clock(options.device))
        best = min((key for key in times if key != "ours"), key=lambda key: statistics.median(times[key]))
        ratio = statistics.median(took / own for took, own in zip(times[best], times["ours"], strict=True))
        rate = len(images) / statistics.median(times[best])
        print(f"{name}: {ratio:.2f} times the rate of the package grad-cam ({rate:.1f} images/s, batch {best[8:]})")


class _Logits(torch.nn.Module):
    """The network as the package wants it."""

    def __init__(self, network: classifier.Classifier) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images).logits


def _clock(device: str) -> Callable[[], float]:
    if device == "cpu":
        return time.process_time

    def synchronised() -> float:
        torch.cuda.synchronize(device)
        return time.perf_counter()

    return synchronised


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=14)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
