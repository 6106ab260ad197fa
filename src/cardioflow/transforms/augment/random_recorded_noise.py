"""Add recorded noise at a given ratio."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

from cardioflow.batch import Annotation, EcgBatch
from cardioflow.dsp.noise import noise_power, signal_power
from cardioflow.dsp.resampling import resampled
from cardioflow.errors import InputError
from cardioflow.transforms import _parameters
from cardioflow.transforms._inputs import finite, rates
from cardioflow.transforms.augment._draw import between, disturbed
from cardioflow.transforms.base import RandomTransform
from cardioflow.transforms.beats._beats import BEATS

__all__ = ["RandomRecordedNoise"]


@final
@dataclass(frozen=True)
class RandomRecordedNoise(RandomTransform):
    """Add recorded noise, such as ``bw``, ``em`` or ``ma`` of NSTDB, at a signal-to-noise ratio.

    The ratio is that of WFDB's ``nst`` (Moody, Muldrow and Mark 1984): the
    ECG's power is A²/8 for QRS complexes of a mean peak-to-peak amplitude A,
    the noise's is the squared mean of the standard deviations of its seconds.
    Annotated beats are used where there are any. Each record gets a stretch with
    a random start. Lead k gets noise signal k modulo their number. The noise
    repeats in a record that is longer.

    Args:
        noise: the noise in millivolts, (signal, time).
        noise_fs: its sampling rate in Hz; it is resampled to each record's.
        snr_db: the ratio in dB, or the pair of bounds to draw each record's from.
        part: which part of the noise is used. Train with the first half, so that a test with the second half uses
            noise that no model has seen.

    Raises:
        InputError: for a record with samples that are not finite, or a noise that is not one.
    """

    noise: NDArray[Any] = field(compare=False, repr=False)
    noise_fs: float
    snr_db: float | tuple[float, float] = (6.0, 24.0)
    part: Literal["first_half", "second_half", "all"] = "first_half"
    digest: str = field(default="", init=False)

    def __post_init__(self) -> None:
        _parameters.above(self, "noise_fs")
        _parameters.span(self, "snr_db")
        _parameters.choice(self, "part", ("first_half", "second_half", "all"))
        noise = np.atleast_2d(np.array(self.noise, dtype=np.float32))
        if noise.ndim != 2 or noise.shape[-1] < self.noise_fs or not np.isfinite(noise).all():
            raise InputError(
                f"{self.action_name}(noise=…) of shape {np.shape(self.noise)} does not hold noise: expected finite "
                "millivolts of (signal, time), at least one second."
            )
        noise.flags.writeable = False
        _parameters.set_fields(self, noise=noise, digest=hashlib.blake2b(noise.tobytes(), digest_size=8).hexdigest())

    def apply(self, batch: EcgBatch, keys: NDArray[np.uint64]) -> EcgBatch:
        finite(batch, self.action_name)
        fs = rates(batch, self.action_name)
        at_rate = {rate: self._at(float(rate)) for rate in np.unique(fs).tolist()}
        marks = batch.annotation or (Annotation(),) * len(batch)

        def noisy(x: NDArray[Any], rng: np.random.Generator, i: int) -> NDArray[Any]:
            return self._noisy(x, rng, float(fs[i]), at_rate[float(fs[i])], marks[i])

        return disturbed(batch, keys, self.action_name, noisy)

    def _at(self, fs: float) -> NDArray[np.float32]:
        half = self.noise.shape[-1] // 2
        part = {"first_half": slice(0, half), "second_half": slice(half, None), "all": slice(None)}[self.part]
        own = np.ascontiguousarray(self.noise[:, part])
        # As every signal is; the kernel is compiled for arrays that may be written anew otherwise.
        own.flags.writeable = False
        starts, lengths = np.arange(len(own)) * own.shape[1], np.full(len(own), own.shape[1])
        old, new = np.full(len(own), float(self.noise_fs)), np.full(len(own), fs)
        return resampled(own.reshape(-1), starts, lengths, old, new)[0].reshape(len(own), -1)

    def _noisy(
        self, x: NDArray[Any], rng: np.random.Generator, fs: float, noise: NDArray[Any], marks: Any
    ) -> NDArray[Any]:
        snr = between(rng, self.snr_db)
        flat = x.reshape(-1, x.shape[-2], x.shape[-1])
        per_segment = marks if isinstance(marks, tuple) else (marks,) * len(flat)
        out = np.empty(flat.shape, np.float64)
        for s, (segment, own) in enumerate(zip(flat, per_segment, strict=True)):
            start = int(rng.integers(noise.shape[-1]))
            stretch = np.take(noise, np.arange(start, start + x.shape[-1]), axis=-1, mode="wrap")
            beats = own.sample[np.array([c in BEATS for c in own.symbol.tolist()], dtype=bool)]
            for lead, values in enumerate(segment):
                k = lead % len(noise)
                power, hum = signal_power(values, fs, beats), noise_power(noise[k], fs)
                gain = np.sqrt(power / hum * 10 ** (-snr / 10)) if hum > 0 else 0.0
                out[s, lead] = values + gain * stretch[k]
        return out.reshape(x.shape)

    def __str__(self) -> str:
        shape = "×".join(map(str, self.noise.shape))
        return f"{self.action_name}(<{shape} noise {self.digest}>, {self.noise_fs}, {self.snr_db}, {self.part!r})"

    @classmethod
    def examples(cls) -> tuple[Self, ...]:
        noise = np.sin(np.arange(2000) ** 1.5)[None] * np.array([[0.1], [0.3]])
        return cls(noise, 360.0), cls(noise, 250.0, 12, "second_half")
