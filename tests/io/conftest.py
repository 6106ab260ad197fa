"""wfdb, the reference for our WFDB reader, is imported once here."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # wfdb 4.3 calls a pandas 3 function in a deprecated way while it is imported.
    warnings.simplefilter("ignore")
    import wfdb  # noqa: F401 -- later imports find it loaded
