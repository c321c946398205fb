"""What a model says of single cells, of its explainers and of a network that was trained elsewhere."""

import pytest

from fer_bench import params, plan
from fer_bench.errors import InputError


def test_a_model_may_say_what_differs_in_each_of_its_cells(raw_params):
    """Sections are merged, everything else is replaced; another cell has the section as it stands."""
    raw_params["models"]["resnet10t"] |= {
        "cells": {"synthetic": {"au": {"kwargs": {"large_maps": False}, "input_size": 96, "guidance": {"weight": 9.0}}}}
    }
    loaded = params.parse(raw_params)
    shared, own = (loaded.model_of("synthetic", "resnet10t", name) for name in ("none", "au"))
    assert shared == loaded.models["resnet10t"].model_copy(update={"cells": {}})
    assert own.kwargs == {**shared.kwargs, "large_maps": False} and own.input_size == 96 and own.cells == {}
    assert own.normalisation == shared.normalisation  # a key that the cell does not name keeps the section's value
    assert loaded.guidance_of("au", "resnet10t", "synthetic").weight == 9.0
    assert loaded.guidance_of("au", "resnet10t") == loaded.guidance["au"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cells": {"nowhere": {"none": {}}}}, "unknown entry of the section `datasets` 'nowhere'"),
        ({"cells": {"synthetic": {"non": {}}}}, "models.resnet10t.cells.synthetic: unknown entry of the section `guid"),
        ({"cells": {"synthetic": {"none": {"epochs": 3}}}}, "cells.synthetic.none.epochs: unknown key"),
        (
            {"cells": {"synthetic": {"none": {"method_kwargs": {"x": 3}}}}},
            "cells.synthetic.none.method_kwargs.x: unknown",
        ),
        (
            {"cells": {"synthetic": {"au": {"guidance": {"weight": -1.0}}}}},
            "models.resnet10t.guidance.weight: given -1.0",
        ),
        ({"explainers": ["camm"]}, "models.resnet10t.explainers: unknown explainer 'camm'; did you mean 'cam'"),
        ({"checkpoint": {"plugin": "author"}}, "checkpoint.plugin: unknown checkpoints plug-in 'author'"),
        ({"checkpoint": {"folder": "x"}}, "checkpoint.plugin: unknown checkpoints plug-in ''"),
        ({"checkpoint": {"plugin": "authors", "folder": "x", "fingerprint": "1"}}, "checkpoint.fingerprint: given '1'"),
        ({"checkpoint": {"plugin": "authors", "fingerprint": "0" * 16}}, "checkpoint.folder: missing"),
    ],
)
def test_mistakes_in_cells_explainers_and_checkpoints(raw_params, changed, words):
    raw_params["models"]["resnet10t"] |= changed
    with pytest.raises(InputError) as error:
        params.parse(raw_params)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_explainers_of_a_model_touch_its_evaluations_only(raw_params):
    before = plan.entries(params.parse(raw_params))
    raw_params["models"]["xcit"]["explainers"] = ["gradcam"]
    after = plan.entries(params.parse(raw_params))
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {name for name in before if name.startswith("evaluate/") and "xcit" in name} | {"grid.json"}
    assert after["evaluate/synthetic/synthetic-xcit-au-s0.json"]["evaluate"]["explainers"] == ["gradcam"]
