"""fer-bench: a reproducible benchmark of interpretable facial expression recognition."""
