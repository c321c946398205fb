"""`fer-bench export`: write the folder, and check that what was written gives what the classifier gives."""

import shutil
from pathlib import Path

import torch

from fer_bench.errors import InputError
from fer_bench.export import card, onnx_file, recipe
from fer_bench.trained import Trained, of_cell, of_folder, write_folder

CARD, LOADER, ONNX = "README.md", "load.py", "model.onnx"
WEIGHTS = "model.safetensors"
FILES = (WEIGHTS, "config.json", CARD, LOADER, ONNX)
TOLERANCE = 1e-4  # of logits and attention, absolute and relative
BATCH = 3  # random images that are compared


def export(cell: str, folder: Path, onnx: bool = False, grid: str | None = None, root: Path = Path()) -> list[Path]:
    """Export a trained cell.

    Args:
        cell: DATASET-MODEL-GUIDANCE-sSEED.
        folder: to be made; one that holds anything but an earlier export is refused.
        onnx: also write model.onnx (needs the extra `export`).
        grid: whose scores the card shows; None: the active grid, else any that holds the cell.
        root: of the repository.

    Returns:
        The files written.

    Raises:
        InputError: no such cell, a folder with other files, or packages for ONNX that are not installed.
    """
    _check_folder(folder)
    if onnx:
        onnx_file.need_packages()
    trained = of_cell(cell, root, grid)
    plain = recipe.of(trained.classifier)
    write_folder(trained, folder, recipe.config(trained, plain))
    shutil.copymode(folder / "config.json", folder / WEIGHTS)  # safetensors lets nobody else read what it writes
    for name in (LOADER, ONNX):
        (folder / name).unlink(missing_ok=True)  # of an earlier export
    if plain is not None:
        (folder / LOADER).write_text(plain.code, encoding="utf-8")
    if onnx:
        onnx_file.write(trained.classifier, folder / ONNX)
    (folder / CARD).write_text(card.text(trained, plain, onnx), encoding="utf-8")
    _check(trained, folder, plain, onnx)
    return [folder / name for name in FILES if (folder / name).is_file()]


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--to {folder}: is a file; give a folder")
    others = sorted(path.name for path in folder.glob("*") if path.name not in FILES) if folder.is_dir() else []
    if others:
        raise InputError(f"--to {folder}: holds other files ({', '.join(others[:3])}); give a new or an empty folder")


def _check(trained: Trained, folder: Path, plain: recipe.Recipe | None, onnx: bool) -> None:
    """Run every way of loading on the same random images."""
    side = trained.about.preparation.input_size
    images = torch.rand(BATCH, 3, side, side, generator=torch.Generator().manual_seed(0))
    wanted = outputs(trained.classifier, images)
    ways = {"fer_bench": lambda: outputs(of_folder(folder).classifier, images)}
    if plain is not None:
        ways[LOADER] = lambda: recipe.run(folder / LOADER, images)
    if onnx:
        ways[ONNX] = lambda: onnx_file.run(folder / ONNX, images)
    for name, way in ways.items():
        for what, found, expected in zip(("logits", "attention"), way(), wanted, strict=True):
            if not torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE):
                largest = float((found - expected).abs().max())
                raise RuntimeError(f"{folder}: {what} by {name} differ from the classifier's by {largest:.2g}")


def outputs(classifier: torch.nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (B, 3, S, S) in [0, 1] -> logits (B, K) and attention (B, h, w) of the last layer, not normalised."""
    with torch.no_grad():
        output = classifier(images)
    return output.logits, output.features[max(output.features)].mean(dim=1)
