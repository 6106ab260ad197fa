"""The kinds of columns that a batch holds, each with its own way through time."""

from cardioflow.batch.columns.base import Column, Kind, Windows
from cardioflow.batch.columns.events import Events
from cardioflow.batch.columns.infer import as_column
from cardioflow.batch.columns.static import Static
from cardioflow.batch.columns.time_series import TimeSeries

__all__ = ["Column", "Events", "Kind", "Static", "TimeSeries", "Windows", "as_column"]
