"""Identity, seeds and paths of cells."""

from fer_bench.cells import Cell, seed_of

CELL = Cell("synthetic", "resnet10t", "au", 2)


def test_name_and_back():
    assert CELL.name == "synthetic-resnet10t-au-s2"
    assert Cell.parse(CELL.name) == CELL


def test_seed_is_the_same_on_every_machine():
    # First eight bytes of sha256("a\x1f1"), big endian, halved: computed with sha256sum.
    assert seed_of("a", 1) == 0x839E11A421D370BE >> 1


def test_guidance_does_not_enter_the_seed():
    pair = Cell("synthetic", "resnet10t", "none", 2)
    assert pair.random_seed == CELL.random_seed
    assert Cell("synthetic", "resnet10t", "au", 1).random_seed != CELL.random_seed
    assert Cell("synthetic", "tscam", "au", 2).random_seed != CELL.random_seed


def test_paths():
    assert CELL.weights.as_posix() == "results/runs/synthetic-resnet10t-au-s2/weights"
    assert CELL.metrics("real").as_posix() == "results/metrics/real/synthetic-resnet10t-au-s2.json"
