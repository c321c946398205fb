"""A word about what trainings cost, before they start."""

from fer_bench import params
from fer_bench.cells import Cell


def say_cost(loaded: params.Params, cells: list[Cell]) -> None:
    """Print what the trainings cost where that is worth a thought."""
    from fer_bench import cost  # noqa: PLC0415  torch and timm take seconds

    found = cost.estimate(loaded, cells) if cells else None
    if found and (found.unknown or found.hours(cost.NOMINAL_RATE) >= cost.WORTH_SAYING):
        measured = "; `fer-bench estimate` measures this machine" if found.operations else ""
        print(f"{found}{measured}")
