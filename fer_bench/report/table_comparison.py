"""Our scores beside the paper's: mean ± deviation, the published number, and whether one more run would give it."""

from collections import Counter
from collections.abc import Iterator

from fer_bench.report import captions, labels
from fer_bench.report._builder import assemble
from fer_bench.report.comparison import INSIDE, OPEN, Judgement, judgements
from fer_bench.report.published import CITATION
from fer_bench.report.results import BASELINE, Results
from fer_bench.report.table import Column, Content, Row, Table
from fer_bench.report.value import MINUS, Value

WHAT = (
    "Our scores beside the published ones. A published number is a single run; it is judged by whether it lies in our "
    "95 % prediction interval for one run, mean ± t · deviation · sqrt(1 + 1/n). Published decimals are cut off, so a "
    "printed 0.70 stands for 0.70 to 0.71; an accuracy is known exactly from the number of test images."
)
TEXTS = ("Dataset", "Network", "Published in", "Method", "Training", "Score")


def build(results: Results) -> Table | None:
    """Every published number with a counterpart in the grid; None when there is none."""
    found = judgements(results)
    if not found:
        return None
    reasons = list(dict.fromkeys(one.reason for one in found if one.reason))
    rows = [_row(results, one, reasons) for one in found]
    numbers = ("ours", "published", "difference", "95 % interval", "printed alike", "published is")
    columns = [*map(Column, TEXTS), *map(Column, numbers)]
    title = "Comparison with the published numbers"
    table = assemble(results, "comparison", title, WHAT, columns, rows, texts=len(TEXTS))
    return captions.add(table, *_notes(found, reasons))


def distance(judgement: Judgement) -> float:
    """How far our mean is from the published value; 0 within the values that are printed alike."""
    mean, printed = judgement.value.mean, judgement.claim.printed
    return max(mean - printed.high, 0.0) or min(mean - printed.low, 0.0)


def _row(results: Results, one: Judgement, reasons: list[str]) -> Row:
    digits = one.value.digits
    word = "without AU" if not one.claim.guided else _arm(results, one)
    names = (results.pair_label(one.pair), one.network, one.claim.source)
    difference: Content = ""
    if one.value.n:
        difference = Value({0: distance(one)}, 1, digits, signed=True, reference=True)
    interval = "" if one.interval is None else _interval(one.interval, digits)
    alike = f"{one.alike} of {one.value.n}" if one.value.n else ""
    numbers = (one.value, one.claim.printed.text, difference, interval, alike, _verdict(one, reasons))
    return Row((*names, one.row.word, word, labels.metric(one.claim.metric), *numbers), " ".join(names))


def _arm(results: Results, one: Judgement) -> str:
    """The guidance, with what differs from run to run of an ablation."""
    settings = results.plan["guidance"].get(one.guidance, {})
    if one.claim.source == "Figure 5":
        return f"λ = {settings['weight']:g}"
    if one.claim.source == "Table 3":
        return f"layers {'+'.join(map(str, one.claim.layers))}"
    return results.guidance_label(one.guidance if one.claim.guided else BASELINE)


def _interval(interval: tuple[float, float], digits: int) -> str:
    low, high = (f"{bound:.{digits}f}".replace("-", MINUS) for bound in interval)
    return f"[{low}, {high}]"


def _verdict(one: Judgement, reasons: list[str]) -> str:
    if not one.reason or len(reasons) == 1:
        return one.verdict
    return f"{one.verdict} ({reasons.index(one.reason) + 1})"


def _notes(found: list[Judgement], reasons: list[str]) -> Iterator[str]:
    yield f"Published: {CITATION}; a single run each."
    yield "Difference: from our mean to the nearest value that would be printed like the published one."
    judged = [one for one in found if one.verdict != OPEN]
    inside = sum(one.verdict == INSIDE for one in judged)
    yield f"Judged: {len(judged)} of {len(found)}" + (f"; inside the interval: {inside}." if judged else ".")
    counts = Counter(one.reason for one in found)
    for number, reason in enumerate(reasons, start=1):
        mark = f" ({number})" if len(reasons) > 1 else ""
        yield f"Not judged{mark}: {reason}: {counts[reason]} numbers."
