"""The DVC graph in parallel: one driver owns DVC, engines only run commands."""
