"""The bundle ``quality``: how usable a 12-lead ECG and each of its leads is."""
