"""Actions on a batch: one file each, named like the action.

A transform holds checked parameters and calls into ``dsp/``; it runs once per
batch, on the flat buffer. To add one, write one file with one class (see
``base.py``): the pipeline finds it by its name. Sub-folders only sort.
"""
