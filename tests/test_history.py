"""Which epoch is kept."""

import pandas as pd
import pytest

from fer_bench.history import History
from fer_bench.protocols import PROTOCOLS

ACCURACIES = [50.0, 80.0, 70.0, 80.0]


def run(rule: str, protocol: str) -> tuple[History, list[bool]]:
    history = History(rule, PROTOCOLS[protocol])
    rows = [
        {"epoch": float(number), "val_accuracy": value, "val_macro_f1": 100 - value}
        for number, value in enumerate(ACCURACIES, start=1)
    ]
    return history, [history.add(row) for row in rows]


@pytest.mark.parametrize(
    ("rule", "protocol", "best", "kept"),
    [
        ("best_accuracy", "clean", 2, [True, True, False, False]),
        ("best_accuracy", "paper", 4, [True, True, False, True]),
        ("best_macro_f1", "clean", 1, [True, False, False, False]),
        ("last", "clean", 4, [True, True, True, True]),
    ],
)
def test_rules(rule, protocol, best, kept):
    history, decisions = run(rule, protocol)
    assert history.best_epoch == best
    assert decisions == kept


def test_file_marks_the_kept_epoch(tmp_path):
    history, _ = run("best_accuracy", "clean")
    history.write(tmp_path / "history.csv")
    assert pd.read_csv(tmp_path / "history.csv")["best"].tolist() == [0, 1, 0, 0]
