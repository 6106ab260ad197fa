"""File formats: one file each, named like the format.

Every reader gives the same thing, a ``Record``: float32 millivolts of shape
(lead, time), Hz, standard lead names, and metadata under common keys. To add a
format, write one file with one class (see ``base.py``).
"""
