"""Several tests at once: Holm's adjustment, in which a test that stands in several rows counts once."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from statsmodels.stats.multitest import multipletests

Test = TypeVar("Test", bound=Hashable)


def holm(p_values: Mapping[Test, float | None]) -> dict[Test, float | None]:
    """Adjust the p values of one family (Holm 1979, www.jstor.org/stable/4615733).

    Args:
        p_values: test -> p; None where a test could not be made, which then does not count. Rows that repeat a test
            share its key, e.g. the accuracy of one network above several explainers.

    Returns:
        Test -> adjusted p, at most 1; None stays None.
    """
    made = {test: p for test, p in p_values.items() if p is not None}
    adjusted = multipletests(list(made.values()), method="holm")[1].tolist() if made else []
    return {**dict.fromkeys(p_values), **dict(zip(made, adjusted, strict=True))}
