"""What the machine does to a stage is one line; what the code does wrong is not hidden."""

import errno
import os
from concurrent.futures.process import BrokenProcessPool

import pytest
from safetensors import SafetensorError

from fer_bench import provenance
from fer_bench.errors import InputError
from fer_bench.mishap import worded
from fer_bench.stage import errors_as_one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            OSError(errno.ENOSPC, "whatever", "results/a.csv"),
            "results/a.csv: No space left on device; free some space, then run the same command again: it goes on from "
            "what is finished",
        ),
        (OSError(errno.ENOSPC, "whatever"), "No space left on device; free some space, "),
        (OSError(errno.EFBIG, "whatever", "a"), "a: File too large; raise the limit (ulimit -f), "),
        (PermissionError(errno.EACCES, "whatever", "a"), "a: Permission denied; make it writable, "),
        (
            NotADirectoryError(errno.ENOTDIR, "whatever", "a"),
            "a: Not a directory; a file stands where a folder belongs",
        ),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "I/O error: No space left on device"),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. "), "a worker process was killed (Data"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 7"), "out of memory (DefaultCPUAllocator"),
        (
            BrokenProcessPool("A process in the process pool was terminated abruptly while the future was running."),
            "a worker process was killed (A process in the process pool",
        ),
        (MemoryError(), "out of memory ("),
    ],
)
def test_line_of_a_mishap(error, line):
    assert worded(error).startswith(line)
    assert "run the same command again: it goes on from what is finished" in worded(error)
    assert "\n" not in worded(error)


@pytest.mark.parametrize("error", [ValueError("os error 2"), FileNotFoundError(2, "x", "a"), RuntimeError("shape")])
def test_what_may_be_a_fault_of_the_code_keeps_its_traceback(error):
    assert worded(error) == ""
    with pytest.raises(type(error)), errors_as_one_line("train a"):
        raise error


def test_a_stage_ends_with_one_line(capsys):
    with pytest.raises(SystemExit, match="1"), errors_as_one_line("train a"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "results")
    assert capsys.readouterr().err.startswith("error: train a: results: Read-only file system; make it writable, ")
    with pytest.raises(SystemExit, match="1"), errors_as_one_line("train a"):
        raise InputError("params.yaml: no")
    assert capsys.readouterr().err == "error: params.yaml: no\n"


def test_a_record_that_cannot_be_written_costs_no_result_and_hides_no_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").write_text("no folder")
    with provenance.recorded("train", "a"):
        pass
    assert capsys.readouterr().err.startswith("warning: results/provenance/train/a.json: Not a directory; ")
    with pytest.raises(ValueError, match="mine"), provenance.recorded("train", "a"):
        raise ValueError("mine")
