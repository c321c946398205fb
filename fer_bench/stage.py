"""What every stage script shares: its plan entry, the runtime settings, errors as one line, provenance, failures."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from fer_bench import failures
from fer_bench.alone import alone
from fer_bench.cell_stages import planned
from fer_bench.cells import PLAN
from fer_bench.errors import InputError
from fer_bench.forked import workers_spared
from fer_bench.mishap import worded
from fer_bench.orphan import end_with_pipeline
from fer_bench.provenance import recorded
from fer_bench.train_settings import RuntimeSettings
from fer_bench.validation import validate
from fer_bench.yaml_file import read_yaml


def main(stage: str, work: Callable[[dict[str, Any], RuntimeSettings], None]) -> None:
    """Run `python stages/STAGE.py NAME` on data/plan/STAGE/NAME.json."""
    end_with_pipeline()
    name = sys.argv[1]
    part = alone(stage, "-".join(sys.argv[1:]))  # parts of a stage, given by further arguments, run side by side
    with errors_as_one_line(f"{stage} {name}"), part, recorded(stage, name), _watched(stage, name), workers_spared():
        work(entry(f"{stage}/{name}"), runtime())


@contextmanager
def errors_as_one_line(what: str) -> Iterator[None]:
    """Let what the user or the machine did wrong be one line and exit 1, and Ctrl-C the same as SIGTERM."""
    process = os.getpid()

    def ended(*_: object) -> None:
        if os.getpid() == process:  # forked workers inherit this
            os.kill(process, signal.SIGTERM)

    before = signal.signal(signal.SIGINT, ended)
    try:
        yield
    except InputError as error:
        _exit(str(error))
    except Exception as error:
        line = worded(error)
        if not line:
            raise
        _exit(f"{what}: {line}")
    finally:
        signal.signal(signal.SIGINT, before)


def _exit(line: str) -> None:
    print(f"error: {line}", file=sys.stderr)
    raise SystemExit(1) from None


def _watched(stage: str, name: str) -> AbstractContextManager[None]:
    """Note a failure for `fer-bench status`; of a part of a stage, given by further arguments, the runner does."""
    return nullcontext() if len(sys.argv) > 2 else failures.watched(planned(f"{stage}/{name}"))


def entry(name: str, root: Path = Path()) -> dict[str, Any]:
    """Read a file of the plan."""
    path = root / PLAN / f"{name}.json"
    if not path.is_file():
        raise InputError(f"{path}: no such plan entry; run the stage `plan` first (dvc repro plan)")
    return dict(json.loads(path.read_text(encoding="utf-8")))


def runtime() -> RuntimeSettings:
    """Read the section `runtime`, which changes no number and therefore stands in no plan file."""
    return validate(RuntimeSettings, read_yaml(Path("params.yaml")).get("runtime") or {}, "params.yaml: runtime")
