"""What has been found so far, on disk after every image: a killed run loses nothing but the images in flight."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from fer_bench.landmarks.base import Detection


@dataclass(frozen=True, eq=False)
class Entry:
    """One image, known by the SHA-256 of its file: what was found, and seconds per step."""

    sha256: str
    detection: Detection
    seconds: dict[str, float]


class Journal:
    """A folder of append-only files of one JSON line per image; each run appends to a file of its own.

    A line that a kill has cut short carries no line end and is not counted: that image is done again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> dict[str, Entry]:
        """Return the entries of all runs so far by SHA-256."""
        entries = {}
        for shard in sorted(self.folder.glob("shard-*.jsonl")):
            with shard.open(encoding="utf-8") as file:
                for line in file:
                    if line.endswith("\n"):
                        entry = _from_line(line)
                        entries[entry.sha256] = entry
        return entries

    @contextmanager
    def open(self) -> Iterator["Writer"]:
        """Open a new file to append to; it is removed again when nothing was appended."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path, file = _new_shard(self.folder)
        try:
            yield Writer(file)
        finally:
            file.close()
            if path.stat().st_size == 0:
                path.unlink()


class Writer:
    """Appends entries to an open journal file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def append(self, entry: Entry) -> None:
        """Append an entry and hand it to the operating system at once."""
        self._file.write(_to_line(entry))
        self._file.flush()


def _new_shard(folder: Path) -> tuple[Path, TextIO]:
    number = len(list(folder.glob("shard-*.jsonl")))
    while True:
        path = folder / f"shard-{number:06d}.jsonl"
        try:
            return path, path.open("x", encoding="utf-8")
        except FileExistsError:  # another run took this number
            number += 1


def _to_line(entry: Entry) -> str:
    found = {**asdict(entry.detection), "points": entry.detection.points.tolist()}
    return json.dumps({"sha256": entry.sha256, "seconds": entry.seconds, **found}) + "\n"


def _from_line(line: str) -> Entry:
    data: dict[str, Any] = json.loads(line)
    sha256, seconds = data.pop("sha256"), data.pop("seconds")
    points, box = np.array(data.pop("points"), np.float32), tuple(data.pop("box"))
    return Entry(sha256, Detection(points=points, box=box, **data), seconds)
