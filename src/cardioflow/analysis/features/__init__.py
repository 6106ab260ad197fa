"""Features of a record for classifiers: a file per family, arrays in, named numbers out."""

from cardioflow.analysis.features.calc import FAMILIES, Family, calc_features, feature_names

__all__ = ["FAMILIES", "Family", "calc_features", "feature_names"]
