"""Whether an object can be sent to another process, and if not, which part of it is at fault."""

from __future__ import annotations

import io
import pickle
import sys
from types import FunctionType
from typing import Any, final

__all__ = ["reason_not_portable"]


class _NotPortableError(Exception):
    """Found while pickling: what cannot be sent, and why."""


def reason_not_portable(value: Any) -> str:
    """Return why ``value`` cannot be sent to a worker process, naming the function or object; empty if it can."""
    try:
        # Arrays are not copied: they go out of band, and are dropped.
        _Checking(io.BytesIO(), protocol=5, buffer_callback=lambda _: False).dump(value)
    except _NotPortableError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 -- an object's own __reduce__ may raise anything
        return f"it cannot be pickled ({type(error).__name__}: {error})"
    return ""


@final
class _Checking(pickle.Pickler):
    """A pickler that looks at every function and class on the way."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, FunctionType | type):
            reason = _reason(value)
            if reason:
                raise _NotPortableError(reason)
        return NotImplemented


def _reason(value: Any) -> str:
    name, module = value.__qualname__, value.__module__
    kind = "class" if isinstance(value, type) else "function"
    if "<" in name:
        what = "is a lambda" if name.endswith("<lambda>") else "is defined inside a function"
        return f"the {kind} {_described(value)} {what}, so that another process cannot import it"
    if module == "__main__" and not _is_script(sys.modules["__main__"]):
        return f"the {kind} {name} is defined in an interactive session, which another process cannot import"
    return ""


def _described(value: Any) -> str:
    code = getattr(value, "__code__", None)
    name = value.__qualname__.replace("<locals>.", "")
    return name if code is None else f"{name} ({code.co_filename}, line {code.co_firstlineno})"


def _is_script(main: Any) -> bool:
    """Return whether ``__main__`` is a file or a module, which a spawned process runs again."""
    return getattr(main, "__spec__", None) is not None or hasattr(main, "__file__")
