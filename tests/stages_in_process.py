"""The stages of the pipeline one after the other in this process, each started as `stages/run.sh` starts it."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import ROOT

# the order of dvc.yaml, between plan and tables
STAGES = ("faces", "landmarks", "hygiene", "heatmaps", "train", "evaluate")


class Workspace:
    """A folder with the repository's sources and a params.yaml of its own."""

    def __init__(self, folder: Path, raw: dict[str, Any]) -> None:
        folder.mkdir()
        self.folder, self.grid = folder, str(raw["grid"]["name"])
        for name in ("fer_bench", "stages"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "params.yaml").write_text(json.dumps(raw), encoding="utf-8")

    def repro(self, monkeypatch: pytest.MonkeyPatch, figures: bool = False) -> None:
        """Run plan, every stage on every entry of the plan, and tables; figures, which take longest, when asked for."""
        monkeypatch.chdir(self.folder)
        if not figures:
            monkeypatch.setattr("fer_bench.report.figures.write", lambda *_: None)
            monkeypatch.setattr("fer_bench.heatmaps.write_preview", lambda *_: None)
            monkeypatch.setattr("fer_bench.au.preview.codebook_figure", lambda *_: [])
        _run(monkeypatch, "plan")
        for stage in STAGES:
            folder = Path("data/plan") / stage
            for path in sorted(folder.rglob("*.json")):
                _run(monkeypatch, stage, path.relative_to(folder).with_suffix("").as_posix())
        _run(monkeypatch, "tables")

    @property
    def metrics(self) -> pd.DataFrame:
        """The tidy table."""
        return pd.read_csv(self.folder / "results" / self.grid / "metrics.csv", keep_default_na=False)

    def table(self, name: str) -> str:
        """A generated table in Markdown."""
        return (self.folder / "paper_tables" / self.grid / f"{name}.md").read_text(encoding="utf-8")


def _run(monkeypatch: pytest.MonkeyPatch, stage: str, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [stage, *arguments])
    runpy.run_path(f"stages/{stage}.py", run_name="__main__")
