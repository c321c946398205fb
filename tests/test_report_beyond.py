"""The table of scores beyond the cosine, from recorded results."""

import recorded_results as recorded

from fer_bench.report import table_beyond, text
from fer_bench.report.results import load

SAME = {"layer": "5", "target": "paper"}


def results(tmp_path, monkeypatch, more):
    before = recorded._rows
    monkeypatch.setattr(recorded, "_rows", lambda cell, images: before(cell, images) + more(cell))
    plan = recorded.plan()
    recorded.write(tmp_path, plan, cached=False)
    return load(plan, tmp_path)


def rows(cell):
    guided, seed = cell["guidance"] != "none", cell["seed"]
    share = {"layer": "5", "average": "macro"}
    return [
        recorded._row("att_energy", 0.2 + 0.1 * guided + 0.01 * seed, **SAME, pairing="true_true", optimised=guided),
        recorded._row("att_energy_chance_random", 0.14, **SAME),
        recorded._row("att_energy_chance_shuffled", 0.18 + 0.05 * guided, **SAME),
        recorded._row("att_energy_target_scored", 0.48, **SAME),
        recorded._row("cam_energy", 0.17, explainer="cam", target="paper", pairing="true_true"),
        recorded._row("cam_energy_chance_random", 0.13, target="paper"),
        recorded._row("att_decision_share", 0.8 - 0.1 * guided, **share),
        recorded._row("att_decision_share_chance_random", 0.5 + 0.1 * guided, **share),
    ]


def test_without_such_scores_there_is_no_table(tmp_path, monkeypatch):
    assert table_beyond.build(results(tmp_path, monkeypatch, lambda cell: [])) is None


def test_scores_stand_between_their_chance_levels_and_what_a_perfect_map_reaches(tmp_path, monkeypatch):
    table = table_beyond.build(results(tmp_path, monkeypatch, rows))
    names = [column.name for column in table.columns]
    energy, share = names.index("energy"), names.index("share in deciding channels")
    words = names.index("Training")
    attention = [row for row in table.rows if "attention, layer 5 (last)" in row.contents][:8]
    found = {row.contents[words]: row.contents for row in attention}
    assert found["without AU"][energy].text() == "0.210 ± 0.010"
    assert found["with AU"][energy].text() == "0.310 ± 0.010†"
    assert found["difference"][energy].text() == "+0.100 ± 0.000†"
    shuffled = "chance: map of another face"
    assert found[f"{shuffled} (without AU)"][energy].text() == "0.180"
    assert found[f"{shuffled} (with AU)"][energy].text() == "0.230"
    # The chance level of the deciding channels depends on the training, that of a random map does not.
    chance = [contents for word, contents in found.items() if word.startswith("chance: random smooth map")]
    assert {contents[energy].text() for contents in chance} == {"0.140"}
    assert {contents[share].text() for contents in chance} == {"0.500", "0.600"}
    place = names.index("Map")
    activation = [row.contents for row in table.rows if row.contents[place] == "CAM" and "without AU" in row.contents]
    assert activation[0][energy].mean == 0.17
    assert activation[0][share] == ""  # class activation maps are no attention
    assert "optimised quantity" in text.markdown(table)


def test_a_metric_of_ones_own_is_a_column_of_its_name(tmp_path, monkeypatch):
    def more(cell):
        own = [
            recorded._row("att_my_metric", 0.6, **SAME, pairing="true_true"),
            recorded._row("att_my_metric_target_scored", 0.9, **SAME),
        ]
        return rows(cell) + own

    table = table_beyond.build(results(tmp_path, monkeypatch, more))
    names = [column.name for column in table.columns]
    assert names[-1] == "my metric" and "cos" not in names
    words = names.index("Training")
    found = {row.contents[words]: row.contents[-1].text() for row in table.rows if row.contents[-1] != ""}
    assert found["without AU"] == "0.600 ± 0.000"
    assert {"0.900"} == {value for word, value in found.items() if word.startswith("training target")}
