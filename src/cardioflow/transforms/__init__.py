"""Actions on a batch: one file each, with the name of the action.

A transform holds checked parameters and calls into ``dsp/``; it runs once per
batch, on the flat buffer. To add one, write one file with one class (see
``base.py``): the pipeline finds it by its name. Folders only group files.
"""
