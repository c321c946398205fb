"""Memory of a training process on a dataset of AffectNet's size, without its network: index, labels, maps, landmarks.

    python benchmarks/memory.py [--train 283901] [--held-out 3500] [--batches 20]

Index, landmarks and the map store have the full size and layout (the store's values are zeros, so it takes little
space); all images are one JPEG file of 256 px. A fresh process opens them as the stage `train` does, with guidance by
action units and the landmarks read besides, makes batches of 224 images with the whole augmentation, goes through the
held-out split once, and says what it holds beyond what importing the libraries took. Memory-mapped files count apart:
the system takes their pages back when it needs them.
Target: at most 4 GB.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TARGET = 4.0  # GB
BATCH, SIDE, RESIZED, STORED = 224, 224, 256, 256


def main() -> None:
    """Lay out the files, measure in a process of its own, print."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        _lay_out(Path(scratch), options)
        command = [sys.executable, __file__, "--inside", scratch, "--batches", str(options.batches)]
        # Everything is found from the folder that a process stands in.
        result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch)
    if result.returncode:
        raise SystemExit(result.stderr)
    own, mapped = (float(number) for number in result.stdout.split())
    print(f"{options.train} training and {options.held_out} held-out images, batches of {BATCH}, {SIDE} px:")
    print(f"{own:.2f} GB beyond the libraries, and {mapped:.2f} GB of mapped files' pages")
    print(f"target of {TARGET} GB: {'met' if own <= TARGET else 'MISSED'}")


def _entry() -> dict[str, Any]:
    return {"name": "synthetic", "plugin": "synthetic", "settings": {"preset": "default"}}


def _lay_out(root: Path, options: argparse.Namespace) -> None:
    """Write the files of a dataset as the stages leave them."""
    import cv2
    import numpy as np
    import pandas as pd

    from fer_bench.au import store
    from fer_bench.au.preview import TEMPLATE
    from fer_bench.cells import faces_folder, heatmaps_folder, landmarks_file
    from fer_bench.datasets._index import COLUMNS
    from fer_bench.expressions import EXPRESSIONS
    from fer_bench.landmarks import _table

    count = options.train + options.held_out
    (root / "params.yaml").write_text("datasets: {synthetic: {}}\n", encoding="utf-8")
    folder = root / faces_folder("synthetic")
    (folder / "images").mkdir(parents=True)
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "images" / "face.jpg"), cv2.resize(picture, (STORED, STORED)))
    names = [f"train_set/images/{number:06d}.jpg" for number in range(count)]
    index = pd.DataFrame({"id": names, "path": "images/face.jpg"})
    index["label"] = [EXPRESSIONS[number % 7] for number in range(count)]
    index["split"] = ["train"] * options.train + ["val"] * options.held_out
    index["subject"], index["sha256"] = "", [f"{number:064x}" for number in range(count)]
    index["width"] = index["height"] = STORED
    index.reindex(columns=list(COLUMNS)).to_csv(folder / "index.csv", index=False)
    points = np.repeat(np.asarray(TEMPLATE, np.float32)[None], count, axis=0)
    table = pd.DataFrame({"id": names})
    values = pd.DataFrame(points.reshape(count, -1), columns=[f"{axis}{n}" for n in range(68) for axis in "xy"])
    rest = {"status": "ok", "step": "s3fd", "box_x1": 0.0, "box_y1": 0.0, "box_x2": 1.0, "box_y2": 1.0, "score": 1.0}
    table = pd.concat([table, values], axis=1).assign(**rest, backend="face_alignment", message="")
    (root / landmarks_file("synthetic")).parent.mkdir(parents=True)
    _table.write(table, root / landmarks_file("synthetic"))
    _empty_store(root / heatmaps_folder("synthetic"), names, store)


def _empty_store(folder: Path, names: list[str], store: Any) -> None:
    """Write a map store of the right size whose maps are zeros, as files with holes."""
    import json

    import numpy as np

    folder.mkdir(parents=True)
    for suffix, (shape, kind) in store._LAYOUT["paper"].items():
        path = folder / f"paper{suffix}.npy"
        values = np.lib.format.open_memmap(path, "w+", kind, (len(names), *shape))
        if suffix == "_valid":
            values[:] = True
    manifest = {
        "faces": len(names),
        "ids_sha256": store.ids_hash(names),
        "paper_side": None,
        "variants": {"paper": store._describe("paper")},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def measure(root: Path, batches: int) -> None:
    """Open everything as a training does and print both sizes in GB."""
    import torch

    from fer_bench import landmarks, registry
    from fer_bench.data import EvaluationBatches
    from fer_bench.dataset_files import DatasetFiles
    from fer_bench.split_maps import SplitMaps
    from fer_bench.train import Trainer  # noqa: F401 - a training imports it
    from fer_bench.train_data import TrainBatches, train_loader
    from fer_bench.train_settings import Augmentation

    torch.set_num_threads(1)
    torch.rand(2, 3, 8, 8)
    own, mapped = _memory()
    files = DatasetFiles(_entry(), root)
    train, held_out = files.faces("train"), files.faces("val")
    guidance = registry.plugin("guidance", "au")(registry.settings("guidance", "au")())
    found = landmarks.read(files.landmarks)
    loader, _ = train_loader(
        TrainBatches(train, guidance.maps(SplitMaps(files, train)), RESIZED, SIDE, Augmentation(), 0), BATCH, 0
    )
    validation = EvaluationBatches(held_out, guidance.maps(SplitMaps(files, held_out)), SIDE, BATCH)
    for number, _ in enumerate(loader, start=1):
        if number == batches:
            break
    for _ in validation:
        pass
    now, now_mapped = _memory()
    assert len(found[0]) == len(files.index)  # the landmarks are held till here
    print(now - own, now_mapped - mapped)


def _memory() -> tuple[float, float]:
    """Own and mapped memory of this process in GB, from the system's book-keeping (Linux)."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text(encoding="utf-8").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Rss")}
    return sizes["RssAnon"] * 1024 / 1e9, (sizes["RssFile"] + sizes["RssShmem"]) * 1024 / 1e9


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=int, default=283_901)
    parser.add_argument("--held-out", type=int, default=3_500)
    parser.add_argument("--batches", type=int, default=20)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    given = _options()
    if given.inside:
        measure(given.inside, given.batches)
    else:
        main()
