"""One public data set a file."""
