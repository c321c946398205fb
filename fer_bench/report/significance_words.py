"""How intervals, p values, effect sizes and verdicts are printed, and what a reader must know about them."""

from collections.abc import Iterator, Sequence

from fer_bench import stats
from fer_bench.report.significance import Evidence, OnFaces
from fer_bench.report.table import Exact
from fer_bench.report.value import BOLD_FROM, MINUS, Value
from fer_bench.stats.power import ALPHA, POWER

LEVEL = 0.05
FEW = 30  # subjects below which a percentile interval is visibly too narrow (docs/statistics.md)
POINTS, COSINE = 0.5, 0.005  # differences to be seen: percentage points of accuracy, and cosines
OPTIMISED = "no claim: optimised"
NOT_SAVED = "open: no single scores"
YES_HIGHER, YES_LOWER = "yes: higher", "yes: lower"
ONLY_NETWORKS, ONLY_FACES = "only these networks", "only these faces"
NOT_TOGETHER, NOT_SHOWN = "not both at once", "not shown"


def interval(ends: tuple[float, float] | None, digits: int) -> str:
    """Both ends in brackets, e.g. [+1.20, +3.40]; blank where there is none."""
    if ends is None:
        return ""
    low, high = (f"{end:+.{digits}f}".replace("-", MINUS) for end in ends)
    return Exact(f"[{low}, {high}]", {"low": ends[0], "high": ends[1]})


def p_value(p: float | None) -> str:
    """Three decimals, or < 0.001; blank where there is none."""
    return "" if p is None else Exact(_p(p), {"": p})


def p_range(p_values: Sequence[float]) -> str:
    """The smallest to the largest p of several seeds."""
    if not p_values:
        return ""
    low, high = min(p_values), max(p_values)
    return Exact(_to(_p(low), _p(high)), {"smallest": low, "largest": high})


def effects(found: Evidence) -> str:
    """Effect sizes of the seeds: paired odds ratio (OR) of an accuracy, else Cohen's d over images."""
    if found.faces is None:
        return ""
    sizes = list(found.faces.effects.values())
    word = "OR" if found.is_accuracy else "d"
    low, high = min(sizes), max(sizes)
    return Exact(f"{word} {_to(_size(low), _size(high))}", {"smallest": low, "largest": high})


def effect_size(differences: Sequence[float]) -> str:
    """Cohen's d over seeds."""
    d = stats.cohen_d(differences)
    return "" if d is None else Exact(_size(d), {"": d})


def seeds_needed(difference: Value, wanted: float) -> str:
    """Seeds with which a paired t test sees a difference of the wanted size; blank below three seeds."""
    if difference.n < stats.SEEDS_FROM or difference.deviation is None:
        return ""
    return str(stats.seeds_needed(difference.deviation, wanted))


def verdict(found: Evidence, trainings: float | None, faces: float | None) -> str:
    """Plain words from Holm's p values over trainings and over faces."""
    if found.difference.n < BOLD_FROM:
        return f"open: {found.difference.n} of {BOLD_FROM} seeds"
    if found.faces is None:
        return NOT_SAVED
    over_trainings, over_faces = (p is not None and p < LEVEL for p in (trainings, faces))
    if over_trainings and over_faces and not found.stands_together:
        return NOT_TOGETHER
    if over_trainings and over_faces:
        return YES_HIGHER if found.difference.mean > 0 else YES_LOWER
    if over_faces:
        return ONLY_NETWORKS
    return ONLY_FACES if over_trainings else NOT_SHOWN


def notes(found: Sequence[Evidence], claims: int) -> Iterator[str]:
    """What every column covers and does not."""
    on_faces = [one.faces for one in found if one.faces is not None]
    yield (
        f"Verdict: yes needs at least {BOLD_FROM} seeds, p < {LEVEL} over trainings (paired t test), p < {LEVEL} over "
        "faces (permutation test of the mean over seeds), and an interval over both that leaves out 0; "
        f"{ONLY_NETWORKS}: other trainings may not show it; {ONLY_FACES}: other faces may not show it; {NOT_TOGETHER}: "
        f"either alone bears it out, the interval over both does not; {NOT_SHOWN}: no proof of equality."
    )
    yield f"Holm: over the {claims} lines without †, each trained network's accuracy once; intervals are not adjusted."
    yield (
        "This trained model only: exact McNemar test of CL, permutation test of cosines, one per seed, smallest to "
        "largest; never pooled, because the seeds share their images. Effect: paired odds ratio (OR), images gained by "
        "images lost, or Cohen's d over images."
    )
    if on_faces:
        yield from _resampled(on_faces)
    if len(on_faces) < len(found):
        yield f"Lines without saved scores of single images: {len(found) - len(on_faces)} of {len(found)}."
    yield from power_caution(max((one.difference.n for one in found), default=0))


def power_caution(seeds: int) -> Iterator[str]:
    """How seeds needed are computed, and how little a deviation of few seeds is worth."""
    if seeds < stats.SEEDS_FROM:
        return
    low, high = stats.deviation_range(seeds)
    yield (
        f"Seeds needed to see a difference of {POINTS} points of CL or {COSINE} of a cosine: paired t test at {ALPHA}, "
        f"power {POWER}, with the deviation found. The deviation of {seeds} seeds may be off by a factor of {low:.2f} "
        f"to {high:.2f} (95 %), the number of seeds by its square."
    )


def _resampled(found: Sequence[OnFaces]) -> Iterator[str]:
    what = dict.fromkeys(f"{one.units} {one.unit_word}" for one in found)
    lost = sum(one.lost for one in found)
    told = f"; {lost} lost an expression and average the others" if lost else ""
    narrow = " With so few, intervals over faces are somewhat narrow." if any(one.units < FEW for one in found) else ""
    yield f"Faces: {stats.RESAMPLES:,} resamples and {stats.FLIPS:,} permutations of {'; '.join(what)}{told}.{narrow}"


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _size(size: float) -> str:
    return f"{size:.2f}".replace("-", MINUS)


def _to(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
