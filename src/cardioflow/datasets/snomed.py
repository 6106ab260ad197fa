"""The diagnoses that the PhysioNet/CinC Challenges 2020 and 2021 score, and what confusing them costs."""

from cardioflow.metrics._challenge_weights import CLASSES, Diagnosis, Year, challenge_weights, scored

__all__ = ["CLASSES", "Diagnosis", "Year", "challenge_weights", "scored"]
