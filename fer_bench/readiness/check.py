"""Everything that the active grid needs, looked at once."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fer_bench import grids, params
from fer_bench.errors import InputError
from fer_bench.readiness import data, machine, packages, weights
from fer_bench.readiness.finding import MISSING, OK, Finding
from fer_bench.train_settings import RuntimeSettings


@dataclass(frozen=True)
class Report:
    """All findings; grid: the active one, empty where params.yaml is not valid."""

    grid: str
    findings: list[Finding]

    @property
    def ready(self) -> bool:
        """Whether the active grid can run here."""
        return not any(one.state == MISSING for one in self.findings)

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {"grid": self.grid, "ready": self.ready, "findings": [asdict(one) for one in self.findings]}


def check(root: Path = Path()) -> Report:
    """Look at packages, machine, params.yaml and what its active grid needs; a problem stops its own part alone."""
    found = list(packages.findings(root))
    if any(one.state == MISSING for one in found):  # the rest would fail for want of them
        return Report("", found)
    try:
        loaded = params.load(root / grids.PARAMS)
    except InputError as error:
        found += machine.findings(RuntimeSettings(), root)
        return Report(
            "", [*found, Finding("params.yaml", "settings", MISSING, str(error), "mend it, then fer-bench check")]
        )
    found += machine.findings(loaded.runtime, root)
    return Report(loaded.grid.name, [*found, *_of_grid(loaded)])


def _of_grid(loaded: params.Params) -> Iterator[Finding]:
    cells = len(grids.cells(loaded.grid))
    yield Finding("params.yaml", "settings", OK, f"valid; grid {loaded.grid.name}, {cells} cells")
    yield from data.datasets(loaded)
    yield from data.landmarks(loaded)
    yield from weights.findings(loaded)
    yield from weights.skipped(loaded)
