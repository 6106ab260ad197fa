"""Arrays in, arrays out: kernels and filters that know no batch.

Nothing here holds a state or a parameter object: a function takes arrays,
sampling rates in Hz and numbers, and returns new arrays. What runs once per
sample is compiled (Numba, with the GIL released) and works on a whole batch's
flat buffer, because a Python loop over records costs more than the arithmetic.
"""
