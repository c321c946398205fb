"""Landmarks found in parts, at once or one after the other: the table is that of one run, to the byte."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_bench.datasets import read_image
from fer_bench.errors import InputError
from fer_bench.landmark_part import detect_part
from fer_bench.landmarks import run
from fer_bench.synthface import SynthSettings, generate

pytest.importorskip("dlib", reason="needs fer_bench[landmarks-offline]")
FACES, PARTS = 9, 4


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    """Nine faces, one of them twice, and a file that is no image."""
    folder = tmp_path_factory.mktemp("faces")
    index = generate(SynthSettings(train=FACES, val=0, test=0, size=112), folder, workers=1, progress=False)
    (folder / "broken.png").write_bytes(b"no image")
    index = index[["id", "path", "sha256"]].reset_index(drop=True)
    index.loc[len(index)] = ["twin", *index.loc[0, ["path", "sha256"]]]
    index.loc[len(index)] = ["broken", "broken.png", sha256(b"no image").hexdigest()]
    return folder, index


class Reader:
    """Reads images and remembers which."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, path: Path) -> np.ndarray:
        self.seen.append(path.name)
        return read_image(path)


def part(faces: tuple[Path, pd.DataFrame], cache: Path, number: int, reader: Reader | None = None) -> int:
    folder, index = faces
    return detect_part(index, folder, "dlib", {}, cache, reader or Reader(), "landmarks.dlib", number, PARTS)


def test_parts_give_the_table_of_one_run_to_the_byte(faces, tmp_path):
    folder, index = faces
    reader, rest = Reader(), Reader()
    done = [part(faces, tmp_path / "c", number, reader) for number in (3, 1, 4, 2)]
    assert sum(done) == FACES
    assert sorted(reader.seen) == sorted({Path(path).name for path in index["path"]})  # each once, whatever the part
    run(index, folder, "dlib", {}, tmp_path / "parts.parquet", 1, False, rest, tmp_path / "c")
    assert rest.seen == ["broken.png"]  # an error is no finding: the stage tries again and reports it
    run(index, folder, "dlib", {}, tmp_path / "whole.parquet", 2, False, read_image, tmp_path / "other")
    assert (tmp_path / "parts.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()


def test_a_part_does_only_what_is_missing(faces, tmp_path):
    first, again = Reader(), Reader()
    done = part(faces, tmp_path, 1, first)
    journal = next(tmp_path.rglob("shard-*.jsonl"))
    assert part(faces, tmp_path, 1, again) == 0
    assert set(again.seen) <= {"broken.png"}
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:-1]) + lines[-1][:-9])  # a kill in the middle of the last line
    assert part(faces, tmp_path, 1) == 1
    assert len(list(tmp_path.rglob("shard-*.jsonl"))) == 2
    assert done == len(lines)


def test_journals_of_parts_from_machines_that_share_nothing_go_into_one_folder(faces, tmp_path):
    folder, index = faces
    found: set[str] = set()
    for number in range(1, PARTS + 1):
        part(faces, tmp_path / str(number), number)
        for path in (tmp_path / str(number)).rglob("shard-*.jsonl"):
            assert path.name not in found
            found.add(path.name)
            target = tmp_path / "all" / path.parent.name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    reader = Reader()
    run(index, folder, "dlib", {}, tmp_path / "t.parquet", 1, False, reader, tmp_path / "all")
    assert reader.seen == ["broken.png"]


def test_there_is_no_part_beyond_the_last(faces, tmp_path):
    with pytest.raises(InputError, match="part 5 of 4: expected a number from 1 to 4"):
        part(faces, tmp_path, PARTS + 1)
