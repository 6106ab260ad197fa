"""Checkpoints of runs: what is written, where, how often, and how a run goes on from one."""
