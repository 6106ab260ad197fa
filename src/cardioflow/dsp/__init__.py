"""Signal processing: arrays in, arrays out.

Nothing here knows batches or holds state: a function takes arrays, sampling rates
in Hz and numbers, and returns new arrays. What runs once per sample is compiled
(Numba, with the GIL released) and works on the flat buffer of many records, because
a Python loop over records costs more than the arithmetic.
"""
