"""What an explainer costs on a batch of 64 images, in forward passes of the same batch.

    python benchmarks/explainers_cost.py [--pairs 9] [--batch 64] [--device cpu]

Three small networks at 64 px (8x8 maps): a ResNet with CAM's head, a ViT with CAM's head, a ViT with TS-CAM's. Each
explainer is asked alone, for one class per image and for two; the forward pass that all explainers share is subtracted.
On a CPU the clock counts processor time of one thread, so that other programs on the machine do not enter.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import pandas as pd
import torch

from fer_bench import classifier, registry
from fer_bench.explainers import explain_all, supported

LONG = 20  # passes; an explainer that takes longer is not repeated
VIT = {
    "backbone": "deit_tiny_patch16_224",
    "kwargs": {"patch_size": 8, "embed_dim": 96, "depth": 4, "num_heads": 3},
    "input_size": 64,
}
SECTIONS = {
    "ResNet-10t, CAM": {
        "backbone": "resnet10t",
        "kwargs": {"channels": [16, 32, 64, 128], "stem_width": 16, "output_stride": 8},
        "input_size": 64,
    },
    "ViT, CAM": VIT,
    "ViT, TS-CAM": {**VIT, "method": "tscam"},
}


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    columns = {}
    for name, section in SECTIONS.items():
        torch.manual_seed(0)
        network = classifier.build(section).to(options.device).eval()
        for classes in (1, 2):
            columns[f"{name}, {classes}"] = _costs(network, classes, options)
    print(f"batch {options.batch}, {options.device}, one thread, median of {options.pairs} pairs")
    print("passes beyond the shared one, for one class per image and for two; - where an explainer does not apply")
    print(pd.DataFrame(columns).map("{:.2f}".format).replace("nan", "-").to_markdown(disable_numparse=True))


def _costs(network: torch.nn.Module, classes: int, options: argparse.Namespace) -> dict[str, float]:
    """Explainer -> passes beyond the shared one; NaN where it does not apply."""
    images = torch.rand(options.batch, 3, 64, 64, device=options.device)
    wanted = torch.randint(0, 7, (options.batch, classes), device=options.device)
    names = registry.names("explainers")
    reasons = supported(network, names)

    def seconds(asked: list[str]) -> float:
        started = _clock(options.device)
        explain_all(network, images, wanted, asked)
        return _clock(options.device) - started

    seconds([])  # allocations and kernel choices of the first run
    return {name: float("nan") if reasons[name] else _ratio(seconds, name, options.pairs) - 1 for name in names}


def _ratio(seconds: Callable[[list[str]], float], name: str, pairs: int) -> float:
    """Median over pairs of runs, right after one another, of the time with the explainer over the time without."""
    first = seconds([name]) / seconds([])
    if first > LONG:
        return first
    return statistics.median(seconds([name]) / seconds([]) for _ in range(pairs))


def _clock(device: str) -> float:
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.perf_counter()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=9, help="runs with and without an explainer")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()
