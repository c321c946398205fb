"""The record of a training run: one row per validation, and which one's weights are kept."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from fer_bench.protocols import Protocol

SCORE_OF_RULE = {"best_accuracy": "val_accuracy", "best_macro_f1": "val_macro_f1"}


@dataclass
class History:
    """Rows of history.csv and the selection rule at work.

    rule: `best_accuracy`, `best_macro_f1` or `last`; the score is that of the protocol's selection split.
    """

    rule: str
    protocol: Protocol
    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: float = -1  # epochs done, 2.5 in the middle of the third; -1: no row yet

    def add(self, row: dict[str, float]) -> bool:
        """Append a validation; return whether its weights are now the ones to keep."""
        self.rows.append(row)
        if self._wins(row):
            self.best_epoch = row["epoch"]
            return True
        return False

    def _wins(self, row: dict[str, float]) -> bool:
        if self.rule == "last" or self.best_epoch < 0:
            return True
        score = SCORE_OF_RULE[self.rule]
        best = next(kept[score] for kept in self.rows if kept["epoch"] == self.best_epoch)
        return row[score] > best or (self.protocol.later_tie_wins and row[score] == best)

    def write(self, path: Path) -> None:
        """Write history.csv; the column `best` marks the validation whose weights were kept."""
        frame = pd.DataFrame(self.rows)
        frame["best"] = (frame["epoch"] == self.best_epoch).astype(int)
        frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
