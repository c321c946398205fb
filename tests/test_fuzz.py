"""Damaged files of every kind that is read from outside: a clear error or a result, never a crash.

FER_BENCH_FUZZ sets the number of inputs for each parser; `make fuzz` sets 4000, more than 100,000 in all.
"""

import os
from pathlib import Path

import pytest
from fuzzed_parsers import PARSERS
from fuzzing import Parser, attack

INPUTS = int(os.environ.get("FER_BENCH_FUZZ", "150"))
ENOUGH = 50  # inputs among which there is one of either outcome


@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
def test_damaged_files_are_refused_or_read(parser: Parser, tmp_path: Path) -> None:
    found = attack(parser, INPUTS, tmp_path)
    print(f"{parser.name}: {found.total():,} inputs, {found['read']:,} read, {found['refused']:,} refused")
    assert found.total() == INPUTS
    if INPUTS >= ENOUGH:
        assert found["refused"] and found["read"], "the damage is too slight or too great to show anything"


def test_the_whole_run_is_large_enough() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    inputs = int(makefile.split("FER_BENCH_FUZZ=")[1].split()[0])
    assert len({parser.name for parser in PARSERS}) == len(PARSERS)
    assert inputs * len(PARSERS) >= 100_000


def test_a_parser_that_crashes_is_found(tmp_path: Path) -> None:
    crashing = Parser(
        "crash", {"a.txt": b"1 2 3 4"}, lambda folder: [int(n) for n in (folder / "a.txt").read_text().split()]
    )
    with pytest.raises(AssertionError, match=r"crash, input .*(ValueError|UnicodeDecodeError)"):
        attack(crashing, 200, tmp_path)
