"""Is a difference between two trainings real? Intervals and tests from saved scores of single images alone."""

from fer_bench.stats.combined import combined_interval
from fer_bench.stats.layout import Layout, macro_layout, micro_layout, unit_numbers
from fer_bench.stats.mcnemar import Discordant, discordant
from fer_bench.stats.multiple import holm
from fer_bench.stats.permutation import FLIPS, sign_flip_test
from fer_bench.stats.power import deviation_range, seeds_needed
from fer_bench.stats.resampling import RESAMPLES, Resampled, bootstrap, percentile_interval
from fer_bench.stats.seeds import SEEDS_FROM, cohen_d, t_interval, t_test

__all__ = [
    "FLIPS",
    "RESAMPLES",
    "SEEDS_FROM",
    "Discordant",
    "Layout",
    "Resampled",
    "bootstrap",
    "cohen_d",
    "combined_interval",
    "deviation_range",
    "discordant",
    "holm",
    "macro_layout",
    "micro_layout",
    "percentile_interval",
    "seeds_needed",
    "sign_flip_test",
    "t_interval",
    "t_test",
    "unit_numbers",
]
