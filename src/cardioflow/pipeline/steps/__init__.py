"""Steps that need more than the batch: files, models, variables, or several batches at once.

One file each, named like the step, as in ``transforms/``; see ``base.py`` for
the kinds.
"""
