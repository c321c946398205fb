"""The name under which the scores of single images behind a printed number are saved."""

from dataclasses import dataclass

import pandas as pd

ACCURACY = "accuracy"


@dataclass(frozen=True)
class ScoreKey:
    """A number of a table that is a mean over images.

    dataset, test_dataset, model, guidance: the cells, one per seed. column: of scores.parquet, or ACCURACY, which is
    made of predictions.parquet. average: macro or micro.
    """

    dataset: str
    test_dataset: str
    model: str
    guidance: str
    column: str
    average: str


def score_key(dataset: str, test_dataset: str, model: str, guidance: str, rows: pd.DataFrame) -> ScoreKey | None:
    """Key of rows that differ in the seed alone; None where no scores of single images are behind them."""
    if rows.empty or str(rows["subset"].iloc[0]) not in ("", "all"):
        return None
    metric, explainer, layer, target, pairing, average = (
        str(rows[name].iloc[0]) for name in ("metric", "explainer", "layer", "target", "pairing", "average")
    )
    place = explainer or layer
    if metric == ACCURACY:
        return ScoreKey(dataset, test_dataset, model, guidance, ACCURACY, "micro")
    if not (place and target and pairing):
        return None
    return ScoreKey(dataset, test_dataset, model, guidance, f"{metric}.{place}.{target}.{pairing}", average)
