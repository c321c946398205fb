"""`fer-bench explain`: a picture, a JSON file and a page for each photograph; a bad one does not stop the others."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fer_bench.errors import InputError
from fer_bench.explanation._explain import explain, trained
from fer_bench.explanation.explanation import ENDINGS, Explanation
from fer_bench.explanation.photo import listed
from fer_bench.trained import Trained

PRIVACY = "photographs are personal data: keep what shows them out of git, and out of what others can read"
_IGNORED = "# Written by `fer-bench explain`: photographs are personal data and belong into no repository.\n*\n"


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; see `fer_bench.explanation.explain`."""

    photos: Sequence[Path]
    out: Path
    explainers: Sequence[str] | None = None
    variant: str | None = None
    whole: bool = False
    as_json: bool = False


@dataclass
class Outcome:
    """What came of it: (photograph, its explanation, the files written), and (photograph, one line why not)."""

    explained: list[tuple[Path, Explanation, list[Path]]] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Both as plain data."""
        return {
            "explanations": [
                {**found.to_dict(), "files": [path.as_posix() for path in files]} for _, found, files in self.explained
            ],
            "failures": [{"file": path.name, "problem": problem} for path, problem in self.failed],
        }


def run(asked: Asked, cell: str | None, model: Path | None) -> Outcome:
    """Explain every photograph, write the files, print a line each on the screen, or all of it as JSON.

    Raises:
        InputError: nothing can be explained at all: no network, no photograph, an output folder that holds photographs.
    """
    photos = listed(asked.photos)
    network = trained(cell, model)
    _make_folder(asked.out, photos)
    outcome = Outcome()
    names = file_names(photos)
    for photo in tqdm(photos, desc="explaining", unit="photo", disable=len(photos) < 3 or not sys.stderr.isatty()):
        _one(photo, names[photo], asked, network, outcome)
    if asked.as_json:
        print(json.dumps(outcome.data(), indent=1, ensure_ascii=False))
    else:
        print(f"{len(outcome.explained)} of {len(photos)} explained in {asked.out}; {PRIVACY}")
    return outcome


def _one(photo: Path, name: str, asked: Asked, network: Trained, outcome: Outcome) -> None:
    try:
        found = explain(photo, model=network, explainers=asked.explainers, variant=asked.variant, whole=asked.whole)
    except InputError as error:
        problem = " ".join(str(error).split())
        outcome.failed.append((photo, problem))
        tqdm.write(f"{'' if str(photo.name) in problem else f'{photo.name}: '}{problem}", file=sys.stderr)
        return
    files = found.save(asked.out, name)
    outcome.explained.append((photo, found, files))
    if not asked.as_json:
        tqdm.write(_line(found, files))


def _line(found: Explanation, files: list[Path]) -> str:
    value = found.probabilities[found.expression]
    parts = [f"{found.expression} {100 * value:.0f} %"]
    for verdict in ("visited", "ignored"):
        units = sorted(unit for region in found.reading.own if region.verdict == verdict for unit in region.shown)
        parts += [f"{verdict}: AU {', '.join(map(str, units))}"] if units else []
    return f"{found.photo.name}: {'; '.join(parts)} -> {files[-1]}"


def file_names(photos: Sequence[Path]) -> dict[Path, str]:
    """Name of each photograph's output: its own without the ending; the second of a name gets -2, and so on."""
    taken: set[str] = set()
    names: dict[Path, str] = {}
    for photo in photos:
        number, name = 1, photo.stem
        while name.casefold() in taken:
            number += 1
            name = f"{photo.stem}-{number}"
        taken.add(name.casefold())
        names[photo] = name
    return names


def _make_folder(out: Path, photos: Sequence[Path]) -> None:
    """Make the folder, ignored by git; what it writes must not replace a photograph."""
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; give a folder")
    if any(photo.resolve().parent == out.resolve() for photo in photos):
        raise InputError(f"--out {out}: photographs lie in this folder and would be replaced; give another one")
    if not out.is_dir():
        out.mkdir(parents=True)
        (out / ".gitignore").write_text(_IGNORED, encoding="utf-8")
    _say_old(out, photos)


def _say_old(out: Path, photos: Sequence[Path]) -> None:
    """Say where files of an earlier call are replaced."""
    names = file_names(photos).values()
    replaced = sum((out / f"{name}{ending}").is_file() for name in names for ending in ENDINGS)
    if replaced:
        print(f"{out}: replaces {replaced} files of an earlier call", file=sys.stderr)
