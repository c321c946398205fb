"""What scoring a network costs beyond looking at the images: an evaluation's pass against a bare forward pass.

    python benchmarks/evaluation_cost.py [--rounds 5] [--images 14] [--size 224]

ResNet50 with a linear head, and with WILDCAT's head, whose explainers need a backward pass through it. The evaluation's
pass gives predictions, the attention of all five layers and the maps of every explainer that applies, for the true and
for the predicted class, scored by ATT-COS and CAM-COS against the maps of both variants and of the units present. A
second column adds the other scores of an image that an evaluation computes in that pass. Images and landmarks are
generated; one thread, processor time.
Target: at most 1.5 forward passes with the linear head, 4 where a backward pass is needed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from _timing import in_turns

from fer_bench import classifier
from fer_bench.data import evaluation_batches, no_maps
from fer_bench.evaluate_settings import EvaluateSettings
from fer_bench.explainers import supported
from fer_bench.protocols import PROTOCOLS
from fer_bench.scoring import Scorer
from fer_bench.targets import Targets

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import prepared_faces  # generated faces with their true landmarks, as the stages prepare them

PAPER = ["accuracy", "att_cos", "cam_cos"]
HEADS = {"linear head": ("cam", 1.5), "WILDCAT's head": ("wildcat", 4.0)}


def main() -> None:
    """Measure and print."""
    options = _options()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        files = prepared_faces.prepare(Path(scratch))
        faces = files.faces("test")
        targets = Targets(files, faces, ["paper", "facs"], options.size)
        rows, batch = next(evaluation_batches(faces, no_maps, options.size, min(options.images, len(faces))))
        print(f"ResNet50, {options.size} px, {len(rows)} images, one thread; in forward passes over the same images")
        for head, (method, target) in HEADS.items():
            network = _network(method, options.size)
            _report(head, target, _contestants(network, targets, rows, batch), options.rounds)


def _network(method: str, size: int) -> classifier.Classifier:
    section = {"backbone": "resnet50", "method": method, "input_size": size}
    return classifier.build(section).eval().to(memory_format=torch.channels_last)


def _contestants(
    network: classifier.Classifier, targets: Targets, rows: Any, batch: dict[str, torch.Tensor]
) -> dict[str, Callable[[], object]]:
    batch = {**batch, "images": batch["images"].contiguous(memory_format=torch.channels_last)}
    settings = EvaluateSettings()
    reasons = supported(network, settings.explainers)
    explainers = [name for name, reason in reasons.items() if not reason]

    def scored(metrics: list[str]) -> Callable[[], None]:
        def run() -> None:
            Scorer(network, explainers, metrics, targets, PROTOCOLS["clean"], 7).add(rows, batch)

        return run

    def forward() -> None:
        with torch.inference_mode():
            network(batch["images"])

    return {"forward": forward, "paper": scored(PAPER), "all": scored(settings.metrics)}


def _report(head: str, target: float, contestants: dict[str, Callable[[], object]], rounds: int) -> None:
    times = in_turns(contestants, rounds, time.process_time)
    costs = {
        name: statistics.median(took / bare for bare, took in zip(times["forward"], times[name], strict=True))
        for name in ("paper", "all")
    }
    verdict = "met" if costs["paper"] <= target else "MISSED"
    print(f"{head}: {costs['paper']:.2f}, with all scores {costs['all']:.2f}; target of {target}: {verdict}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=14)
    parser.add_argument("--size", type=int, default=224)
    return parser.parse_args()


if __name__ == "__main__":
    main()
