"""Stages whose work is split: their parts are jobs of their own, which run side by side before the stage itself."""

from collections.abc import Mapping, Sequence

_MARK = "#"


def with_parts(plan: Mapping[str, Sequence[str]], parts: Mapping[str, int]) -> dict[str, list[str]]:
    """Add the parts of stages to a plan.

    Args:
        plan: stage -> the stages it needs.
        parts: stage -> into how many parts its work is split; one, or no entry: not at all.

    Returns:
        The plan with `STAGE#1of4` ... before STAGE; a part needs what its stage needs, the stage needs its parts too.
    """
    found: dict[str, list[str]] = {}
    for stage, needs in plan.items():
        count = parts.get(stage, 1)
        names = [f"{stage}{_MARK}{number}of{count}" for number in range(1, count + 1)] if count > 1 else []
        found |= {name: list(needs) for name in names}
        found[stage] = [*needs, *names]
    return found


def stage_of(job: str) -> str:
    """`landmarks@a#3of16` -> `landmarks@a`; the name of a stage is returned as it is."""
    return job.partition(_MARK)[0]


def part_of(job: str) -> tuple[int, int] | None:
    """`landmarks@a#3of16` -> (3, 16); None for a stage itself."""
    _, mark, part = job.partition(_MARK)
    if not mark:
        return None
    number, _, count = part.partition("of")
    return int(number), int(count)
