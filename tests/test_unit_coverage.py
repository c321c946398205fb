"""Coverage of action units over a split: means per expression, faces without a map, the ideal."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fer_bench.protocols import PROTOCOLS
from fer_bench.unit_coverage import UnitCoverage

SIDE = 16
EXPRESSIONS = ("neutral", "happiness", "surprise")
LABELS = np.array([0, 1, 1, 2, 1])


def units(variant, rows, wanted):
    """Unit 12 in the lower half, the others in the upper one; the last image has no landmarks."""
    maps = torch.zeros(len(rows), SIDE, SIDE)
    maps[:, slice(SIDE // 2, SIDE) if 12 in wanted else slice(0, SIDE // 2)] = 1.0
    maps[torch.as_tensor(rows) == 4] = torch.inf
    return maps


def true(variant, rows):
    maps = units(variant, rows, {12})
    maps[torch.as_tensor(LABELS[rows]) == 0] = torch.inf  # neutral
    return maps


def measured(maps, batch=2):
    targets = SimpleNamespace(side=SIDE, labels=LABELS, of_units=units, true=true)
    hulls = np.zeros((len(LABELS), SIDE, SIDE), dtype=bool)
    return UnitCoverage(maps, targets, hulls, EXPRESSIONS, PROTOCOLS["clean"], batch).arrays("facs")


def test_an_even_attention_covers_every_unit_once():
    found = measured({"att.5": torch.full((5, 4, 4), 0.7)})
    np.testing.assert_allclose(found["att.5.facs"], 1.0, rtol=1e-6)


def test_the_lower_half_of_a_face_covers_its_unit_twice_and_the_others_not():
    lower = torch.zeros(5, SIDE, SIDE)
    lower[:, SIDE // 2 :] = 1.0
    lower[2] = 1.0  # one of happiness is even
    lower[4] = torch.rand(SIDE, SIDE, generator=torch.Generator().manual_seed(0))  # no landmarks: does not count
    found = measured({"att.5": lower, "cam.cam": lower})
    smile = found["units.facs"].tolist().index("12")
    assert found["att.5.facs"][:, smile].tolist() == pytest.approx([2.0, 1.5, 2.0])
    assert found["att.5.facs"][:, 0].tolist() == pytest.approx([0.0, 0.5, 0.0])
    assert found["cam.cam.facs"][2, smile] == pytest.approx(2.0)
    assert np.isnan(found["ideal.facs"][0]).all()  # neutral has no map
    assert found["ideal.facs"][1:, smile].tolist() == pytest.approx([2.0, 2.0])
    assert found["own.facs"][:, smile].tolist() == [False, True, False]


def test_the_size_of_a_batch_does_not_matter():
    maps = {"att.5": torch.rand(5, 4, 4, generator=torch.Generator().manual_seed(1))}
    one, five = measured(maps, batch=1), measured(maps, batch=5)
    np.testing.assert_allclose(one["att.5.facs"], five["att.5.facs"], rtol=1e-6)
