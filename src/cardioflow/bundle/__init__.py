"""Bundles: models or methods with all that an answer needs, loaded, asked for predictions and saved."""

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.bundle_card import BundleCard, DataSource, Score
from cardioflow.bundle.card import Card
from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.limits_of_use import Limits
from cardioflow.bundle.loading import load
from cardioflow.bundle.member_description import MemberDescription
from cardioflow.bundle.predictions import LeadQuality, Predictions, RecordPrediction, SkippedRecord
from cardioflow.bundle.reasons import Reason
from cardioflow.bundle.writing import write_bundle

__all__ = [
    "Bundle",
    "BundleCard",
    "BundleDescription",
    "Card",
    "DataSource",
    "LeadQuality",
    "Limits",
    "MemberDescription",
    "Predictions",
    "Reason",
    "RecordPrediction",
    "Score",
    "SkippedRecord",
    "load",
    "write_bundle",
]
