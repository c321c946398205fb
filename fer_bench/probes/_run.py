"""Run the probes that params.yaml names on a test dataset, where they fit it."""

from collections.abc import Sequence
from pathlib import Path

from fer_bench import registry
from fer_bench.probes.base import ProbeBase, Subject
from fer_bench.score_rows import Row


def probe_rows(names: Sequence[str], subject: Subject, folder: Path) -> list[Row]:
    """Return the rows of all probes that fit the dataset; each writes its per-image lines to `folder`/NAME.parquet."""
    rows: list[Row] = []
    for name in names:
        probe: ProbeBase = registry.plugin("probes", name, "params.yaml: evaluate.probes")()
        if probe.fits(subject.files.plugin):
            found, frame = probe.run(subject)
            frame.to_parquet(folder / f"{name}.parquet", index=False)
            rows += found
    return rows
