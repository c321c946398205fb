"""Decoded images of a split in files that are mapped into memory, for splits that do not fit into it.

One file holds the pixels of CHUNK neighbouring images at one size. Files are named by what their pixels depend on, made
under another name and renamed when whole: an interrupted run goes on where it stopped, and processes or machines that
build at the same time do no harm.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
from tqdm import tqdm

CHUNK = 2048  # images a file: 400 MB at 256 px
Decode = Callable[[int, int], np.ndarray]  # row of the split, side -> (side, side, 3) uint8


class PackedImages:
    """The images of a split at one size, (N, side, side, 3) uint8, in a folder of its own below `folder`."""

    def __init__(self, folder: Path, identity: str, hashes: list[str], side: int) -> None:
        """Look at the files of a split.

        Args:
            folder: where packed images lie.
            identity: everything beside the files that their pixels depend on, as text.
            hashes: SHA-256 of the N image files, in the order of the split.
            side: pixels.
        """
        key = hashlib.sha256(json.dumps([identity, hashes, side, CHUNK]).encode()).hexdigest()
        self.folder, self.count, self.side = folder / key[:16], len(hashes), side
        self._open: dict[int, np.ndarray] = {}

    @property
    def paths(self) -> list[Path]:
        """Files of the split, in order."""
        return [self.folder / f"{number:05d}.npy" for number in range(-(-self.count // CHUNK))]

    @property
    def whole(self) -> bool:
        """Whether every file is there."""
        return all(path.is_file() for path in self.paths)

    def build(self, decode: Decode, shard: int = 0, shards: int = 1, progress: bool = True) -> int:
        """Make the files that are missing, of every `shards` the one numbered `shard` from 0; return how many."""
        self.folder.mkdir(parents=True, exist_ok=True)
        missing = [number for number, path in enumerate(self.paths) if number % shards == shard and not path.is_file()]
        for number in tqdm(missing, desc=f"pack {self.side} px", unit="file", disable=not progress):
            self._write(number, decode)
        return len(missing)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Return (B, side, side, 3) uint8."""
        found = np.empty((len(rows), self.side, self.side, 3), np.uint8)
        for position, row in enumerate(rows.tolist()):
            number, within = divmod(row, CHUNK)
            if number not in self._open:
                self._open[number] = np.load(self.paths[number], mmap_mode="r")
            found[position] = self._open[number][within]
        return found

    def _write(self, number: int, decode: Decode) -> None:
        rows = range(number * CHUNK, min((number + 1) * CHUNK, self.count))
        path = self.paths[number]
        partial = path.with_suffix(f".{uuid4().hex}.partial")
        shape = (len(rows), self.side, self.side, 3)
        pixels = np.lib.format.open_memmap(partial, "w+", np.uint8, shape)
        for position, row in enumerate(rows):
            pixels[position] = decode(row, self.side)
        pixels.flush()
        partial.replace(path)
