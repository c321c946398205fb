"""fer-bench: a reproducible benchmark of interpretable facial expression recognition."""

from fer_bench.telemetry import switch_off

switch_off()
