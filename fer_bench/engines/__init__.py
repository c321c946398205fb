"""Engines: where the commands of stages run, on this machine or on a cluster."""
