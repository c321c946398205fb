"""Both arms tuned with trials of their own: what validation chose, its test scores, and every trial that was made."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from fer_bench.report import captions, labels, methods
from fer_bench.report._builder import assemble
from fer_bench.report._layout import TRAINING, minus
from fer_bench.report.ablation_scores import METRICS, main_rows, scores
from fer_bench.report.methods import MethodRow, Network
from fer_bench.report.results import BASELINE, Pair, Results
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.tuning import Arm, Trial, arms, tuned_models
from fer_bench.report.value import Value

TEXTS = ("Dataset", "Network", "Method", TRAINING, "Trials", "Setting")
LISTED = ("Dataset", "Network", "Method", TRAINING, "Setting", "Note")
OPTIONAL = ("Method",)
NOT_CHOSEN = "not chosen"
RULE = (
    "Rule: the trial with the highest mean over seeds of the validation score of its kept checkpoints; of equal "
    "means the one that the grid lists first; the test split took no part in the choice."
)
OPTIMISTIC = "The validation score of a chosen trial is the best of several and therefore optimistic."
WHAT_TUNED = (
    "Both arms tuned alike: for each the trial chosen on validation images among as many as column Trials says; in the "
    "rows with 1 trial the settings fixed beforehand."
)
WHAT_TRIALS = "Every trial behind table tuned, in the order of the grid, with the validation score that decides."


def build(results: Results) -> list[Table]:
    """The chosen trials of each arm, then all trials; nothing for a grid whose models have no trials."""
    if not tuned_models(results):
        return []
    return [_tuned(results), _listed(results)]


def _tuned(results: Results) -> Table:
    columns = [*map(Column, TEXTS), *_scores_columns(results)]
    rows = [row for found in _found(results) for row in _chosen_rows(results, *found)]
    what = f"{WHAT_TUNED} {_per_arm(results)} {RULE} {_maps(results)}"
    table = assemble(results, "tuned", "Both arms tuned alike", what, columns, rows, len(TEXTS), OPTIONAL)
    return captions.add(table, OPTIMISTIC, *_warnings(results))


def _listed(results: Results) -> Table:
    columns = [*map(Column, LISTED), *_scores_columns(results)]
    rows = [row for found in _found(results) for row in _trial_rows(results, *found)]
    what = f"{WHAT_TRIALS} {RULE} {_maps(results)}"
    table = assemble(results, "trials", "Trials of both arms", what, columns, rows, len(LISTED), OPTIONAL)
    return captions.add(table, *_warnings(results))


def _scores_columns(results: Results) -> list[Column]:
    words = [labels.metric(name) + (" (%)" if name == "accuracy" else "") for name in METRICS]
    return [Column("validation score (%)"), *(Column(word, "test") for word in words)]


def _found(results: Results) -> Iterator[tuple[Pair, Network, MethodRow, tuple[Arm, ...]]]:
    """Models that have trials, per dataset, with their arms."""
    for pair in results.pairs:
        for network in methods.networks(results):
            for row in main_rows(results, network):
                if row.model in tuned_models(results):
                    yield pair, network, row, arms(results, pair, row.model)


def _chosen_rows(results: Results, pair: Pair, network: Network, row: MethodRow, found: Sequence[Arm]) -> Iterator[Row]:
    names = (results.pair_label(pair), network.label, row.word)
    for kind in ("tuned", "fixed"):
        lines = {arm.guidance: _line(results, pair, row, arm.chosen if kind == "tuned" else arm.fixed) for arm in found}
        for arm in found:
            count = str(len(arm.trials)) if kind == "tuned" else "1"
            yield Row((*names, arm.word, count, *lines[arm.guidance]), " ".join((*names, kind)))
        if BASELINE in lines:
            yield from _differences(names, kind, found, lines)


def _line(results: Results, pair: Pair, row: MethodRow, trial: Trial | None) -> list[Content]:
    """Setting, validation score and test scores of a trial; dashes where none could be chosen."""
    if trial is None:
        return [NOT_CHOSEN, *[Value({}, len(results.seeds))] * (1 + len(METRICS))]
    found = scores(results, pair, replace(row, model=trial.model), trial.guidance)
    return [trial.setting, trial.validation, *(found[name] for name in METRICS)]


def _differences(
    names: tuple[str, ...], kind: str, found: Sequence[Arm], lines: dict[str, list[Content]]
) -> Iterator[Row]:
    others = [arm for arm in found if arm.guidance != BASELINE]
    for arm in others:
        title = "difference" if len(others) == 1 else f"difference, {arm.word}"
        cells = [minus(*both) for both in zip(lines[arm.guidance][2:], lines[BASELINE][2:], strict=True)]
        yield Row((*names, title, "", "", "", *cells), " ".join((*names, kind)))


def _trial_rows(results: Results, pair: Pair, network: Network, row: MethodRow, found: Sequence[Arm]) -> Iterator[Row]:
    names = (results.pair_label(pair), network.label, row.word)
    for arm in found:
        for trial in arm.trials:
            setting, *cells = _line(results, pair, row, trial)
            notes = ["chosen"] * (trial == arm.chosen) + ["fixed beforehand"] * (trial == arm.fixed)
            yield Row((*names, arm.word, setting, ", ".join(notes), *cells), " ".join((*names, arm.word)))


def _per_arm(results: Results) -> str:
    """Trials of every arm in words."""
    told = {", ".join(f"{arm.word} {len(arm.trials)}" for arm in found) for *_, found in _found(results)}
    return f"Trials per arm: {'; '.join(sorted(told))}; each trained with every seed."


def _maps(results: Results) -> str:
    """Which maps the cosines are of."""
    explainers = dict.fromkeys(labels.explainer(row.explainer) for _, _, row, _ in _found(results) if row.explainer)
    of = f"CAM-COS: {', '.join(explainers)}. " if explainers else ""
    return f"ATT-COS: last layer. {of}Reference map: {labels.target(results.target)}."


def _warnings(results: Results) -> Iterator[str]:
    """Where the arms were not tuned alike, and where nothing could be chosen."""
    for pair, network, _, found in _found(results):
        where = f"{results.pair_label(pair)}, {network.label}"
        if len({len(arm.trials) for arm in found}) > 1:
            counts = ", ".join(f"{arm.word} {len(arm.trials)}" for arm in found)
            yield f"Unequal trials on {where}: {counts}. The arm with more trials has the better chance."
        for arm in found:
            if arm.chosen is None:
                short = [trial.setting for trial in arm.trials if trial.validation.n < trial.validation.expected]
                yield f"No choice on {where}, {arm.word}: seeds are missing of {'; '.join(short)}."
