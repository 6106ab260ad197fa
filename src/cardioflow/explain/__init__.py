"""What a prediction rests on: relevance per record, lead and sample.

``occlusion`` asks any model that predicts, ONNX models, ensembles and bundles
included. ``integrated_gradients`` and ``grad_cam`` need a model with gradients:
Keras, PyTorch, and, for the former, JAX and TensorFlow.
"""

from cardioflow.explain.grad_cam import grad_cam
from cardioflow.explain.integrated_gradients import integrated_gradients
from cardioflow.explain.occlusion import occlusion
from cardioflow.explain.relevance import Relevance

__all__ = ["Relevance", "grad_cam", "integrated_gradients", "occlusion"]
