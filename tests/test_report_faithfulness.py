"""The verdict of the sanity check: from which likeness on a map counts as the same."""

import pytest

from fer_bench.report.table_faithfulness import _verdict
from fer_bench.report.value import Value


@pytest.mark.parametrize(
    ("head", "everywhere", "word"),
    [(0.1, 0.0, "yes"), (0.95, 0.3, "not with the head"), (0.95, 0.9, "no"), (0.2, 0.91, "no"), (0.89, 0.89, "yes")],
)
def test_a_map_that_stays_is_flagged(head, everywhere, word):
    assert _verdict(Value({0: head}, 1), Value({0: everywhere}, 1)) == word


def test_nothing_is_said_of_maps_without_likeness():
    assert _verdict("undefined", Value({0: 0.1}, 1)) == "" == _verdict(Value({}, 1), Value({}, 1))
