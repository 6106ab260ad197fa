"""The report on a file: one page for a browser and for paper, and an index of several."""
