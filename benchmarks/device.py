"""ResNet50 at the published AffectNet recipe on this machine's accelerator, and how long the paper's grids would take.

    python benchmarks/device.py [--steps 20] [--rounds 5] [--workers N] [--no-compile]

Prints images per second of an epoch with and without guidance and their ratio, the share of the bound that
training_epoch.py explains, whether two trainings with the same seed end with the same bits, and hours for the grids
paper_rafdb and paper_affectnet: their operations, counted as `fer-bench estimate` counts them, at the measured rate.
Without an accelerator it says so and measures nothing; `--device cpu --batch 4 --steps 2 --rounds 1` tries it out.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import torch
import training_epoch

from fer_bench import cost, grids, params
from fer_bench.model_settings import read
from fer_bench.yaml_file import read_yaml

GRIDS = ("paper_rafdb", "paper_affectnet")
NAME = "resnet50"


def main() -> None:
    """Measure and print."""
    options = _options()
    if options.device != "cpu" and not torch.cuda.is_available():
        print("no accelerator here: ResNet50 at the AffectNet recipe is not measured")
        return
    print(torch.cuda.get_device_name() if options.device != "cpu" else "processor", f"torch {torch.__version__}")
    rates = {}
    for unguided in (True, False):
        options.unguided = unguided
        rates[unguided] = float(np.median(training_epoch.report(NAME, options).epochs[:, 0]))
    print(f"guided over unguided, time per image: {rates[True] / rates[False]:.3f}; target of 1.03")
    print(f"two trainings of one seed end with the same bits: {'yes' if _repeats(options) else 'NO'}")
    for grid in GRIDS:
        _say_hours(grid, rates[False])


def _repeats(options: argparse.Namespace) -> bool:
    """Train twice for an epoch and compare all weights."""
    options = argparse.Namespace(**{**vars(options), "rounds": 0, "compile": False})
    choice = training_epoch.CHOICES[NAME]
    own = {**choice["settings"], "batch_size": options.batch}
    states = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as scratch:
            trainer = training_epoch.make_trainer(
                {**choice, "settings": own, "steps": min(options.steps, 5)}, Path(scratch), options
            )
            trainer.run(lambda row: None)
            states.append({name: value.cpu() for name, value in trainer.classifier.state_dict().items()})
    return all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def _say_hours(grid: str, images_per_second: float) -> None:
    section = read(training_epoch.CHOICES[NAME]["section"], "benchmarks")
    rate = images_per_second * (1 + cost.BACKWARD) * cost.forward_operations(section)
    raw = {**read_yaml(Path("params.yaml")), "grid": grids.read(grid).model_dump(mode="json")}
    found = cost.estimate(params.parse(raw))
    missing = f"; without {', '.join(found.unknown)}, whose size is not known" if found.unknown else ""
    print(f"grid {grid}: {found.cells} trainings, about {found.hours(rate):.0f} hours on this device{missing}")


def _options() -> argparse.Namespace:
    parser = training_epoch.parser()
    parser.description = __doc__
    parser.set_defaults(batch=224, steps=20, precision="bfloat16", workers=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--no-compile", dest="compile", action="store_false")
    parser.set_defaults(compile=True)
    options = parser.parse_args()
    options.compile &= options.device != "cpu"
    return options


if __name__ == "__main__":
    main()
