"""Measurements of an ECG: arrays in, named results out.

A measurement is a function that takes arrays and returns a frozen result whose
fields say their units. A value that the input does not give is ``None``, never 0
or NaN, and the result tells how many beats each value rests on. Arithmetic on
samples lies in ``dsp``, where actions on batches find it too.
"""
