"""Trained models as ONNX graphs, compared with the model itself before anything is written."""

from cardioflow.models.export.exporting import Exported, export_onnx

__all__ = ["Exported", "export_onnx"]
