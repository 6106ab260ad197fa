"""Values as JSON: one codec for everything that CardioFlow writes as text, extended by each user with its own types.

===============================  =========================================================
value                            as JSON
===============================  =========================================================
None, bool, int, str             as they are
float                            a number; ``{"$float": "nan"}``, ``"inf"``, ``"-inf"``
complex                          ``{"$complex": [re, im]}``
list                             an array
tuple                            ``{"$tuple": […]}``
dict with text keys              an object
dict with other keys             ``{"$dict": [[key, value], …]}``
set, frozenset                   ``{"$set": […]}``, ``{"$frozenset": […]}``
``slice``                        ``{"$slice": [start, stop, step]}``
``bytes``                        ``{"$bytes": "base64"}``
``Path``                         ``{"$path": "a/b.hea"}``
datetime, date                   ``{"$datetime": "2024-05-01T12:00:00"}``, ``{"$date": …}``
array                            ``{"$array": [flat], "dtype": "<f4", "shape": [2, 3]}``
NumPy scalar                     ``{"$scalar": 1.5, "dtype": "<f4"}``
===============================  =========================================================

Reading never builds more than the text itself holds: dtypes are whitelisted,
the size of an array follows from its values, and length and depth of a text are limited.
"""

from cardioflow.core.json_values.codec import JsonCodec
from cardioflow.core.json_values.form import Form, Misfit, Recurse
from cardioflow.core.json_values.text import Limits, parse

__all__ = ["Form", "JsonCodec", "Limits", "Misfit", "Recurse", "parse"]
