"""Saved models as they are used: loaded, asked for predictions, given thresholds and saved."""

from cardioflow.bundle.bundle import Bundle, load
from cardioflow.bundle.card import Card
from cardioflow.bundle.predictions import Predictions, RecordPrediction, SkippedRecord

__all__ = ["Bundle", "Card", "Predictions", "RecordPrediction", "SkippedRecord", "load"]
