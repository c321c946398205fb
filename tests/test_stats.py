"""Intervals and tests of paired differences: numbers by hand, other packages, coverage, null distributions."""

import numpy as np
import pytest
from scipy import stats as scipy_stats
from threadpoolctl import threadpool_limits

from fer_bench import stats
from fer_bench.expressions import EXPRESSIONS
from fer_bench.stats import permutation, resampling
from fer_bench.stats.power import TTestPower


def alone(images):
    """Every image a unit of its own."""
    return stats.unit_numbers([f"{i:05d}" for i in range(images)], [""] * images)


def plain(images):
    return stats.micro_layout(np.ones(images, dtype=bool), alone(images))


# --- the reported statistic


def test_layout_gives_the_reported_averages():
    from fer_bench.metrics import macro, micro

    rng = np.random.default_rng(0)
    labels = rng.choice(7, 300, p=[0.2, 0.3, 0.2, 0.1, 0.1, 0.07, 0.03])
    scores = np.where((labels == 0) | (rng.random(300) < 0.1), np.nan, rng.random(300))
    defined, values = ~np.isnan(scores), np.nan_to_num(scores)[:, None]
    counted = np.bincount(labels)[labels] >= 20
    assert not counted.all()  # one expression is too rare
    expected = macro(scores[counted], labels[counted], EXPRESSIONS).value
    layout = stats.macro_layout(defined, labels, alone(300), skip=[0], minimum=20)
    assert layout.statistic(values)[0] == pytest.approx(expected, abs=1e-12)
    assert layout.shares(values).sum() == pytest.approx(expected, abs=1e-12)
    assert stats.micro_layout(defined, alone(300)).statistic(values)[0] == pytest.approx(micro(scores).value, abs=1e-12)


def test_macro_by_hand():
    labels, values = np.array([1, 1, 1, 2]), np.array([[1.0], [2.0], [3.0], [10.0]])
    layout = stats.macro_layout(np.array([True] * 4), labels, alone(4))
    assert layout.statistic(values) == 6.0  # (2 + 10) / 2; the plain mean is 4
    assert layout.shares(values).ravel().tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6, 5])


def test_nothing_to_average_is_refused():
    with pytest.raises(ValueError, match="no image is left to average"):
        stats.macro_layout(np.array([True, True]), np.array([0, 0]), alone(2), skip=[0])


def test_units_are_subjects_where_known():
    assert stats.unit_numbers(["b", "a", "c", "d"], ["anna", "", "anna", "bea"]).tolist() == [1, 0, 1, 2]


# --- seeds


def test_t_interval_by_hand():
    """Differences 1, 2, 3: mean 2, s = 1, t(0.975, 2) = 4.3027, so 2 ± 4.3027 / sqrt(3)."""
    assert stats.t_interval([1.0, 2.0, 3.0]) == pytest.approx((-0.48414, 4.48414), abs=1e-5)
    assert stats.t_test([1.0, 2.0, 3.0]) == pytest.approx(0.0741799, abs=1e-6)  # t = 3.4641
    assert stats.cohen_d([1.0, 2.0, 3.0]) == 2.0


def test_t_interval_agrees_with_scipy():
    values = np.random.default_rng(1).normal(0.3, 1, 7)
    expected = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert stats.t_interval(values, 0.9) == pytest.approx((expected.low, expected.high))


def test_fewer_than_three_seeds_say_nothing():
    assert [function([1.0, 2.0]) for function in (stats.t_interval, stats.t_test, stats.cohen_d)] == [None] * 3


def test_equal_differences_have_no_test():
    assert stats.t_test([0.1 + 0.2, 0.3, 0.3]) is None
    assert stats.cohen_d([0.0, 0.0, 0.0]) is None


def test_t_interval_covers():
    """2,000 experiments of 5 seeds: 95 % within 3 standard errors (0.5 points each)."""
    draws = np.random.default_rng(2).normal(1.0, 2.0, (2000, 5))
    ends = [stats.t_interval(row) for row in draws]
    assert np.mean([low <= 1.0 <= high for low, high in ends]) == pytest.approx(0.95, abs=0.015)


# --- power


@pytest.mark.parametrize(("deviation", "difference"), [(0.0, 0.5), (0.01, 0.5), (0.3, 0.5), (0.5, 0.5), (1.45, 0.5)])
def test_seeds_needed_is_the_smallest_number(deviation, difference):
    seeds = stats.seeds_needed(deviation, difference)
    effect = difference / max(deviation, difference / 12)

    def power(n):  # the upper tail; the other one is negligible from an effect of 0.3 on
        return TTestPower().power(effect, n, 0.025, alternative="larger")

    assert power(seeds) >= 0.8
    assert seeds == 2 or power(seeds - 1) < 0.8


def test_seeds_needed_as_in_textbooks():
    """A paired t test sees an effect of 0.5 with 34 pairs, of 0.8 with 15 (Cohen 1988, table 2.3.5 by G*Power)."""
    assert (stats.seeds_needed(1.0, 0.5), stats.seeds_needed(1.0, 0.8)) == (34, 15)


def test_seeds_needed_by_simulation():
    deviation = 0.5
    seeds = stats.seeds_needed(deviation, 0.5)
    runs = np.random.default_rng(3).normal(0.5, deviation, (4000, seeds))
    assert np.mean(scipy_stats.ttest_1samp(runs, 0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.03)


def test_deviation_of_few_seeds_is_uncertain():
    """sqrt(2 / 7.3778) and sqrt(2 / 0.050636), quantiles of chi-square with 2 degrees of freedom."""
    assert stats.deviation_range(3) == pytest.approx((0.52066, 6.28473), abs=1e-4)


# --- bootstrap


def test_bootstrap_of_two_images_by_hand():
    """Images 0 and 1: a resample has mean 0, 0.5 or 1 with probability 1/4, 1/2, 1/4."""
    draws = stats.bootstrap(plain(2), np.array([[0.0], [1.0]]), 20_000).draws[:, 0]
    assert [float(np.mean(draws == value)) for value in (0, 0.5, 1)] == pytest.approx([0.25, 0.5, 0.25], abs=0.015)


def test_bootstrap_agrees_with_a_loop_over_the_reported_statistic():
    """Each resample written out image by image, subjects drawn whole, gives the same macro mean."""
    from fer_bench.metrics import macro

    rng = np.random.default_rng(4)
    labels, subjects = rng.integers(1, 7, 60), rng.integers(0, 15, 60)
    units = stats.unit_numbers([str(i) for i in range(60)], [f"s{s:02d}" for s in subjects])
    scores = rng.random(60)
    found = stats.bootstrap(
        stats.macro_layout(np.ones(60, dtype=bool), labels, units), scores[:, None], resamples=50, seed=5
    )
    drawn = np.random.default_rng(5).integers(0, units.max() + 1, size=(50, units.max() + 1))
    for row, expected in zip(drawn, found.draws[:, 0], strict=True):
        images = np.concatenate([np.flatnonzero(units == unit) for unit in row])
        assert macro(scores[images], labels[images], EXPRESSIONS).value == pytest.approx(expected, abs=1e-12)


def test_bootstrap_agrees_with_scipy():
    values = np.random.default_rng(6).exponential(1.0, 80)
    ours = stats.percentile_interval(stats.bootstrap(plain(80), values[:, None], 20_000).draws[:, 0])
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(7)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_a_lost_class_is_counted_and_left_out():
    """Class 1 is one image of three: 8/27 of the resamples lose it, and 1/27 hold nothing else."""
    layout = stats.macro_layout(np.ones(3, dtype=bool), np.array([0, 0, 1]), alone(3))
    found = stats.bootstrap(layout, np.array([[0.0], [0.0], [1.0]]), 20_000)
    assert found.lost / 20_000 == pytest.approx(9 / 27, abs=0.015)
    shares = [float(np.mean(found.draws == value)) for value in (0.0, 0.5, 1.0)]
    assert shares == pytest.approx([8 / 27, 18 / 27, 1 / 27], abs=0.015)


def test_a_resample_without_any_class_is_not_a_number():
    layout = stats.micro_layout(np.array([True, False, False]), alone(3))
    draws = stats.bootstrap(layout, np.array([[2.0], [9.0], [9.0]]), 5_000).draws
    assert np.isnan(draws).mean() == pytest.approx(8 / 27, abs=0.03)
    assert stats.percentile_interval(draws[:, 0]) == (2.0, 2.0)


def test_all_columns_and_layouts_share_their_resamples():
    values = np.random.default_rng(8).random((40, 3))
    together = stats.bootstrap(plain(40), values, 300, seed=1).draws
    for column in range(3):
        single = stats.bootstrap(plain(40), values[:, [column]], 300, seed=1).draws
        np.testing.assert_allclose(single[:, 0], together[:, column], atol=1e-12)
    half = stats.micro_layout(np.arange(40) < 20, alone(40))
    twice = np.where(np.arange(40)[:, None] < 20, values, 0)
    both = stats.bootstrap(half, twice, 300, seed=1).draws
    assert abs(np.corrcoef(both[:, 0], together[:, 0])[0, 1]) > 0.4  # independent resamples would be uncorrelated


def clustered(rng, subjects=60, each=5, mean=0.3):
    """Differences of images of which those of a subject are alike."""
    return (mean + rng.normal(0, 0.5, (subjects, 1)) + rng.normal(0, 0.5, (subjects, each))).reshape(-1, 1)


def test_bootstrap_of_subjects_covers_and_that_of_images_does_not():
    """300 experiments: 95 % within 3 standard errors (1.3 points each); images as units would cover far less."""
    rng = np.random.default_rng(9)
    names = [f"{i:03d}" for i in range(300)]
    units = stats.unit_numbers(names, [f"s{i // 5:02d}" for i in range(300)])
    covered = {"subjects": 0, "images": 0}
    for _ in range(300):
        values = clustered(rng)
        for word, layout in (("subjects", stats.micro_layout(np.ones(300, bool), units)), ("images", plain(300))):
            low, high = stats.percentile_interval(stats.bootstrap(layout, values, 400).draws[:, 0])
            covered[word] += low <= 0.3 <= high
    assert covered["subjects"] / 300 == pytest.approx(0.94, abs=0.04)
    assert covered["images"] / 300 < 0.85


# --- both


def test_combined_interval_by_hand():
    low, high = stats.combined_interval(1.0, (-2.0, 4.0), (-3.0, 5.0))
    assert (low, high) == (1 - 5.0, 1 + 5.0)  # 3 and 4 in quadrature
    assert stats.combined_interval(1.0, (-2.0, 4.0), (1.5, 2.0)) == (-2.0, 1 + 10**0.5)
    assert stats.combined_interval(1.0, None, (0.0, 2.0)) is None


def test_only_the_combined_interval_covers_new_seeds_on_new_faces():
    """300 experiments with 5 new seeds and 80 new faces each: effects of seeds, of faces and of a seed on a face."""
    rng = np.random.default_rng(10)
    covered = {"trainings": 0, "faces": 0, "both": 0}
    for _ in range(300):
        values = rng.normal(0, 0.2, (1, 5)) + rng.normal(0, 1.5, (80, 1)) + rng.normal(0, 1.0, (80, 5))
        differences = values.mean(axis=0)
        trainings = stats.t_interval(differences)
        draws = stats.bootstrap(plain(80), values, 400).draws
        faces = stats.percentile_interval(draws.mean(axis=1))
        ends = {"trainings": trainings, "faces": faces}
        ends["both"] = stats.combined_interval(differences.mean(), trainings, faces)
        for word, (low, high) in ends.items():
            covered[word] += low <= 0 <= high
    shares = {word: count / 300 for word, count in covered.items()}
    assert shares["both"] >= 0.93
    assert shares["trainings"] < 0.93
    assert shares["faces"] < 0.93


# --- permutation


def test_sign_flips_by_hand():
    """Three images gain 1 each: 2 of 8 swaps are as extreme, so p = 1/4."""
    p = stats.sign_flip_test(plain(3), np.ones((3, 1)), 40_000)
    assert p[0] == pytest.approx(0.25, abs=0.01)


def test_sign_flips_of_a_subject_go_together():
    """Three subjects of ten images each are three tosses, not thirty."""
    units = stats.unit_numbers([str(i) for i in range(30)], [f"s{i % 3}" for i in range(30)])
    layout = stats.micro_layout(np.ones(30, dtype=bool), units)
    assert stats.sign_flip_test(layout, np.ones((30, 1)), 40_000)[0] == pytest.approx(0.25, abs=0.01)


def test_sign_flips_agree_with_scipy_on_the_macro_statistic():
    rng = np.random.default_rng(11)
    labels = rng.choice([1, 2, 3], 50, p=[0.6, 0.3, 0.1])
    before, after = rng.random((2, 50))
    after += 0.05
    layout = stats.macro_layout(np.ones(50, dtype=bool), labels, alone(50))

    def macro_difference(x, y, axis):
        parts = [np.mean((y - x)[..., labels == k], axis=axis) for k in (1, 2, 3)]
        return np.mean(parts, axis=0)

    theirs = scipy_stats.permutation_test(
        (before, after), macro_difference, permutation_type="samples", vectorized=True, n_resamples=10_000,
        rng=np.random.default_rng(12),
    ).pvalue  # fmt: skip
    ours = stats.sign_flip_test(layout, (after - before)[:, None])[0]
    assert 0.05 < theirs < 0.95
    assert ours == pytest.approx(theirs, abs=0.02)


def test_p_values_are_uniform_when_nothing_differs():
    """500 experiments under the null: Kolmogorov-Smirnov finds no departure, 5 % are below 0.05."""
    values = np.random.default_rng(13).standard_t(3, (100, 500))
    p = stats.sign_flip_test(plain(100), values, 2_000)
    assert scipy_stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.03)
    seeds = np.random.default_rng(14).normal(0, 1, (500, 5))
    assert scipy_stats.kstest([stats.t_test(row) for row in seeds], "uniform").pvalue > 0.01


def test_p_is_never_zero():
    assert stats.sign_flip_test(plain(200), np.ones((200, 1)), 99)[0] == 0.01


# --- McNemar


def test_mcnemar_by_hand():
    """1 lost, 5 gained: 2 (1 + 6) / 2^6 = 14/64."""
    before = np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=bool)
    after = np.array([1, 0, 1, 1, 1, 1, 1, 0], dtype=bool)
    found = stats.discordant(before, after)
    assert (found.gained, found.lost, found.images) == (5, 1, 8)
    assert found.p == pytest.approx(14 / 64)
    assert found.odds_ratio == 5.0


def test_mcnemar_agrees_with_the_binomial_test():
    for gained, lost in ((0, 0), (3, 0), (10, 10), (40, 22)):
        found = stats.Discordant(gained, lost, 100)
        expected = scipy_stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
        assert found.p == pytest.approx(expected)


def test_mcnemar_without_a_lost_image():
    assert stats.Discordant(2, 0, 9).odds_ratio == np.inf
    assert np.isnan(stats.Discordant(0, 0, 9).odds_ratio)


# --- several tests


def test_holm_by_hand():
    """0.01 * 3, max(0.03 * 2, before), max(0.04 * 1, before); tests that could not be made do not count."""
    assert stats.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": None}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": None}
    )
    assert stats.holm({"a": None}) == {"a": None}
    assert stats.holm({}) == {}


def test_holm_counts_a_network_once():
    rows = [("accuracy", "cam"), ("accuracy", "cam"), ("accuracy", "cam"), ("accuracy", "adl")]
    assert stats.holm(dict.fromkeys(rows, 0.02)) == dict.fromkeys(set(rows), 0.04)


# --- nothing else matters


def test_the_order_of_images_does_not_matter():
    rng = np.random.default_rng(15)
    ids, labels, values = [f"{i:03d}" for i in range(200)], rng.integers(0, 7, 200), rng.normal(0.1, 1, (200, 3))
    subjects = [f"s{i % 50}" if i % 3 else "" for i in range(200)]

    def everything(order):
        units = stats.unit_numbers([ids[i] for i in order], [subjects[i] for i in order])
        layout = stats.macro_layout(np.ones(200, dtype=bool), labels[order], units, skip=[0])
        draws = stats.bootstrap(layout, values[order], 500).draws
        return draws, stats.sign_flip_test(layout, values[order], 500)

    straight, shuffled = everything(np.arange(200)), everything(rng.permutation(200))
    np.testing.assert_allclose(straight[0], shuffled[0], atol=1e-12)
    np.testing.assert_array_equal(straight[1], shuffled[1])


def test_chunks_do_not_matter(monkeypatch):
    values = np.random.default_rng(16).normal(0.1, 1, (150, 2))
    first = stats.bootstrap(plain(150), values, 700).draws, stats.sign_flip_test(plain(150), values, 700)
    for module in (resampling, permutation):
        monkeypatch.setattr(module, "CHUNK", 33)
    second = stats.bootstrap(plain(150), values, 700).draws, stats.sign_flip_test(plain(150), values, 700)
    np.testing.assert_allclose(first[0], second[0], atol=1e-12)
    np.testing.assert_array_equal(first[1], second[1])


def test_threads_do_not_matter():
    values = np.random.default_rng(17).normal(0.1, 1, (400, 6))
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(
                (stats.bootstrap(plain(400), values, 600).draws, stats.sign_flip_test(plain(400), values, 600))
            )
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-12)
    np.testing.assert_array_equal(found[0][1], found[1][1])
