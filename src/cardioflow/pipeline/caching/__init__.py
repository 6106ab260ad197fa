"""Keeping what deterministic steps make of each record: in memory, or in a folder.

``key`` says which steps made it, ``fingerprints`` of which files; ``chunk``
turns rows into bytes and back; ``rows`` holds rows and gives those of a batch;
``memory`` and ``folder`` are where they are kept; ``cached_steps`` is the step.
"""
