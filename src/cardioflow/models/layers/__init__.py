"""Keras 3 layers and losses with equal results on torch, jax and tensorflow.

Importing this package registers them with Keras, so that a dump that contains
one loads in safe mode.
"""

from cardioflow.models.layers.crop_like import CropLike
from cardioflow.models.layers.dirichlet_likelihood import DirichletLikelihood
from cardioflow.models.layers.fused_attention import FusedAttention
from cardioflow.models.layers.gaussian_code import GaussianCode
from cardioflow.models.layers.inception import Inception2D
from cardioflow.models.layers.lead_tokens import GridPositions, LeadTokens
from cardioflow.models.layers.log_spectrogram import LogSpectrogram
from cardioflow.models.layers.pad_channels import PadChannels
from cardioflow.models.layers.positional_convolution import PositionalConvolution
from cardioflow.models.layers.positions import Positions
from cardioflow.models.layers.rfft import RFFT
from cardioflow.models.layers.state_space import StateSpace
from cardioflow.models.layers.triplet_similarity import TripletSimilarity

__all__ = [
    "RFFT",
    "CropLike",
    "DirichletLikelihood",
    "FusedAttention",
    "GaussianCode",
    "GridPositions",
    "Inception2D",
    "LeadTokens",
    "LogSpectrogram",
    "PadChannels",
    "PositionalConvolution",
    "Positions",
    "StateSpace",
    "TripletSimilarity",
]
