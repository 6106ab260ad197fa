"""The command ``cardioflow``."""
