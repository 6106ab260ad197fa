# Written by tools/write_stubs.py; `make stub` writes it anew.
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from numpy.typing import NDArray

from cardioflow.analysis.features import Family
from cardioflow.analysis.waves.delineate import Method
from cardioflow.batch.axis import Axis
from cardioflow.batch.columns import Kind
from cardioflow.pipeline.expressions import B, Expression, V

__all__ = ["PipelineActions"]

class PipelineActions:
    """Every action, as a method that returns a pipeline with one more step."""

    def after(self, pipeline: Any) -> Self:
        """Do the steps of ``pipeline`` once, after the last batch of a run that did not fail."""
    def append_wave_probabilities(self) -> Self:
        """Append three channels for each lead: how probable P, QRS and T are at each sample, from 0 to 1."""
    def apply_pipeline(self, pipeline: Any, p: float | Expression = 1.0, n_times: int | Expression = 1) -> Self:
        """Do the steps of ``pipeline`` as one step."""
    def apply_to_each_channel(
        self,
        func: Callable[..., Any] | Expression,
        *args: Any,
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
        **kwargs: Any,
    ) -> Self:
        """Call ``func(channel, *args, **kwargs)`` on each channel's samples, and write the stacked results to ``dst``."""
    def apply_transform(
        self,
        func: Callable[..., Any] | Expression,
        *args: Any,
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
        **kwargs: Any,
    ) -> Self:
        """Call ``func(item, *args, **kwargs)`` for each record's ``src``, and write the results to ``dst``."""
    def band_pass_signals(
        self, low: float | None | Expression = None, high: float | None | Expression = None, order: int | Expression = 4
    ) -> Self:
        """Keep the frequencies between ``low`` and ``high`` Hz, with no phase shift."""
    def before(self, pipeline: Any) -> Self:
        """Do the steps of ``pipeline`` once, when the run begins and before any record is read."""
    def binarize_labels(self) -> Self:
        """Turn labels into float32 columns (record, class): 1 for each label that the record has, else 0."""
    def cache(
        self,
        folder: str | Path | None | Expression = None,
        *,
        max_mb: float | Expression = 4096.0,
        version: str | None | Expression = None,
    ) -> Self:
        """Keep what the steps before this one make of each record, and do them once for each record instead of every epoch."""
    def calc_ecg_parameters(
        self, src: str | None | Expression = None, dst: str | Expression = "ecg_parameters"
    ) -> Self:
        """Measure heart rate and intervals from the ECG or from the states of a model, and write them to ``dst``."""
    def calc_features(
        self,
        families: Sequence[Family] | Expression = ("rhythm", "shape", "atrial", "spectrum", "quality"),
        lead: int | Expression = 0,
        dst: str | Expression = "features",
    ) -> Self:
        """Compute features of rhythm, shape, P waves, spectrum and quality, and write them to ``dst``."""
    def calc_hrv(
        self,
        src: str | Expression = "beats",
        preset: str | Expression = "taskforce",
        settings: Mapping[str, Any] | None | Expression = None,
        dst: str | Expression = "hrv",
    ) -> Self:
        """Measure the heart rate variability of each record's beats, and write it to ``dst``."""
    def call(
        self,
        func: Callable[..., Any] | Expression,
        *args: Any,
        pure: bool | Expression = False,
        save_to: V | B | None | Expression = None,
        **kwargs: Any,
    ) -> Self:
        """Call ``func(batch, *args, **kwargs)`` on every batch; a batch that it returns goes on in its place."""
    def check_limb_leads(self, dst: str | Expression = "limb_leads") -> Self:
        """Measure how well I + III = II and aVR + aVL + aVF = 0 hold, and whether electrodes look swapped."""
    def classify_beats(self, src: str | Expression = "beats", dst: str | Expression = "beat_classes") -> Self:
        """Tell the AAMI class of each beat: ``N``, ``S``, ``V``, ``F``, or ``Q`` where nothing can be said."""
    def clip_signals(self, low_mv: float | Expression = -5.0, high_mv: float | Expression = 5.0) -> Self:
        """Limit the signals to the range from ``low_mv`` to ``high_mv`` millivolts, as ``numpy.clip`` does."""
    def convert_units(self, new_units: str | Mapping[str, str] | Sequence[str] | Expression) -> Self:
        """Convert the signals to other units, and update ``meta["units"]``."""
    def convolve_signals(
        self,
        kernel: Sequence[float] | Expression,
        padding_mode: Literal["edge", "constant", "symmetric", "reflect", "wrap"] | Expression = "edge",
    ) -> Self:
        """Convolve each lead with a centred ``kernel``, so that the signal keeps its length and does not shift."""
    def crop_beats(
        self,
        before_s: float | Expression = 0.25,
        after_s: float | Expression = 0.4,
        symbols: Sequence[str] | None | Expression = None,
        labels: Literal["symbol", "aami", "keep"] | Expression = "symbol",
    ) -> Self:
        """Make a row of (lead, length) around each annotated beat, with its class as the target."""
    def cwt(
        self,
        scales: Sequence[float] | Expression,
        wavelet: str | Expression = "morl",
        method: Literal["conv", "fft"] | Expression = "fft",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each lead by its continuous wavelet transform, as ``pywt.cwt`` defines it."""
    def delineate(
        self,
        method: Method | Expression = "network",
        per: Literal["both", "lead", "record"] | Expression = "both",
        dst: str | Expression = "waves",
    ) -> Self:
        """Mark onset, peak and end of P, QRS and T, as the set of events ``dst``; the file's own annotation stays."""
    def derive_leads(self) -> Self:
        """Compute the missing limb leads from I and II, so that 8 stored leads become 12."""
    def derive_vcg(self, method: Literal["kors", "inverse_dower"] | Expression = "kors") -> Self:
        """Compute the vectorcardiogram from I, II and V1–V6."""
    def detect_beats(self, detector: str | Expression = "two_pass", dst: str | Expression = "beats") -> Self:
        """Detect beats in all leads together, and write them to the events ``dst``, beside the file's own annotations."""
    def detect_lead_off(
        self,
        flat_mv: float | Expression = 0.01,
        rail_mv: float | Expression = 10.0,
        share: float | Expression = 0.5,
        dst: str | Expression = "lead_off",
    ) -> Self:
        """Detect leads that were not connected, and write a boolean per lead to ``dst``."""
    def detect_powerline(self, threshold_db: float | Expression = 15.0, dst: str | Expression = "powerline") -> Self:
        """Detect powerline interference, and write its frequency to ``dst``: 50 or 60 Hz, or 0 for none."""
    def drop_channels(
        self, names: Sequence[str] | None | Expression = None, indices: Sequence[int] | None | Expression = None
    ) -> Self:
        """Drop channels, chosen by name, by group (``"limb"``, ``"precordial"``) or by number."""
    def drop_labels(self, drop_list: Sequence[str] | Expression) -> Self:
        """Drop the labels in ``drop_list``, and each record that had no other."""
    def drop_short_signals(self, min_length: int | Expression) -> Self:
        """Keep the records of ``min_length`` samples or more."""
    def dump(
        self,
        dst: str | Path | Expression,
        fmt: str | Expression,
        exists: Literal["raise", "skip", "overwrite"] | Expression = "raise",
        *,
        identify: bool | Expression = False,
    ) -> Self:
        """Write each record to the folder ``dst`` in the format ``fmt``, under its id, and let the batch pass."""
    def dwt(
        self,
        wavelet: str | Expression = "db4",
        mode: str | Expression = "symmetric",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each lead by one level of its wavelet transform, as ``pywt.dwt`` defines it."""
    def fft(
        self,
        n: int | None | Expression = None,
        norm: Literal["backward", "ortho", "forward"] | Expression = "backward",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each lead by its Fourier transform, as ``numpy.fft.fft`` defines it, in complex64."""
    def fill_missing_signals(self, method: Literal["linear", "hold", "zero"] | Expression = "linear") -> Self:
        """Fill samples that are NaN or infinite; a lead without a finite sample becomes zeros."""
    def fir_filter_signals(
        self,
        low: float | None | Expression = 0.5,
        high: float | None | Expression = 40.0,
        width: float | Expression = 1.0,
    ) -> Self:
        """Keep the frequencies between ``low`` and ``high`` Hz with a symmetric FIR filter, with no phase shift."""
    def flip_signals(self, window_size: int | None | Expression = None, threshold: float | Expression = 0.0) -> Self:
        """Invert each lead whose R-peaks point down."""
    def get_triplets(
        self,
        n_triplets: int | Expression,
        length: int | Expression,
        negatives: Mapping[str, Sequence[str]] | None | Expression = None,
    ) -> Self:
        """Draw triplets for each record: itself as the anchor, a positive of the same label, a negative of another."""
    def high_pass_signals(self, low: float | Expression = 0.67, order: int | Expression = 2) -> Self:
        """Keep the frequencies above ``low`` Hz, with no phase shift."""
    def idwt(
        self,
        wavelet: str | Expression = "db4",
        mode: str | Expression = "symmetric",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Reconstruct the signal from one level of its wavelet transform, as ``pywt.idwt`` does."""
    def ifft(
        self,
        n: int | None | Expression = None,
        norm: Literal["backward", "ortho", "forward"] | Expression = "backward",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each spectrum by its inverse transform, as ``numpy.fft.ifft`` defines it, in complex64."""
    def import_model(self, name: str | Expression, source: Any) -> Self:
        """Use the model ``name`` of ``source``, another run, or ``source`` itself where it is a model."""
    def init_model(self, name: str | Expression, config: Mapping[str, Any] | Expression = ...) -> Self:
        """Say that the run uses the model ``name``: a static one is built at once, a dynamic one from the first batch."""
    def init_variable(
        self, name: str | Expression, default: Any = None, init: Callable[[], Any] | None | Expression = None
    ) -> Self:
        """Declare the variable ``name``; every run begins with its own copy of ``default``, or with ``init()``."""
    def irfft(
        self,
        n: int | None | Expression = None,
        norm: Literal["backward", "ortho", "forward"] | Expression = "backward",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each half spectrum by its real signal, as ``numpy.fft.irfft`` does."""
    def join(
        self,
        *pipelines: Any,
        components: str | Sequence[str] | Mapping[str, str] | None | Expression = None,
        kind: Kind | None | Expression = None,
    ) -> Self:
        """Add to each row the components that ``pipelines`` make of its record."""
    def keep_channels(
        self, names: Sequence[str] | None | Expression = None, indices: Sequence[int] | None | Expression = None
    ) -> Self:
        """Keep channels, chosen by name, by group (``"limb"``, ``"precordial"``) or by number."""
    def keep_labels(self, keep_list: Sequence[str] | Expression) -> Self:
        """Keep the labels in ``keep_list``, and the records that have at least one of them."""
    def load(
        self,
        src: Any = None,
        fmt: str | None | Expression = None,
        components: str | Sequence[str] | None | Expression = None,
        **options: Any,
    ) -> Self:
        """Read components of each record: signals, metadata and annotations from files, targets from a table."""
    def load_model(self, name: str | Expression, path: str | Path | Expression) -> Self:
        """Load the model ``name`` from the dump ``path`` when the run begins, as a ``path`` in its configuration does."""
    def low_pass_signals(self, high: float | Expression = 40.0, order: int | Expression = 4) -> Self:
        """Keep the frequencies below ``high`` Hz, with no phase shift."""
    def measure(self, dst: str | Expression = "measurements") -> Self:
        """Measure each record, and write what was found to ``dst``."""
    def median_beat(
        self,
        before_s: float | Expression = 0.3,
        after_s: float | Expression = 0.5,
        symbols: Sequence[str] | Expression = ("N",),
    ) -> Self:
        """Replace each record by its median beat: the median of its annotated beats at each sample of each lead."""
    def merge_pipelines(self, *pipelines: Any) -> Self:
        """Put the rows that each of ``pipelines`` makes of the batch's records beside the batch's own rows."""
    def min_max_scale(
        self, low: float | Expression = 0.0, high: float | Expression = 1.0, axis: Axis | Expression = -1
    ) -> Self:
        """Scale each signal to the range from ``low`` to ``high``; a flat signal becomes ``low``."""
    def notch_signals(
        self,
        frequency: float | Expression = 50.0,
        n_harmonics: int | Expression = 1,
        quality: float | Expression = 30.0,
    ) -> Self:
        """Remove one frequency and its harmonics, with no phase shift."""
    def pad_signals(
        self,
        length: int | Expression,
        pad_value: float | Expression = 0.0,
        side: Literal["right", "left", "both"] | Expression = "right",
    ) -> Self:
        """Bring signals shorter than ``length`` samples to that length; longer ones stay."""
    def pdwt(
        self,
        part: Literal["a", "d"] | Expression,
        wavelet: str | Expression = "db4",
        mode: str | Expression = "symmetric",
        level: int | Expression = 1,
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each lead by the approximation or the details of its wavelet transform, as ``pywt.downcoef`` does."""
    def predict_on_batch(
        self,
        name: str | Expression,
        save_to: V | B | None | Expression = None,
        per: Literal["record", "segment"] | Expression = "record",
        aggregate: Literal["mean", "median", "max"] | Expression = "mean",
        *,
        inplace: bool | Expression = False,
        uncertainty: V | None | Expression = None,
    ) -> Self:
        """Ask the model ``name`` for a prediction of every record."""
    def random_amplitude_scale(
        self, low: float | Expression = 0.8, high: float | Expression = 1.25, *, per_lead: bool | Expression = False
    ) -> Self:
        """Multiply each record by a random factor between ``low`` and ``high``, log-uniformly distributed."""
    def random_baseline_wander(
        self,
        amplitude_mv: float | tuple[float, float] | Expression = (0.0, 0.3),
        frequency: float | tuple[float, float] | Expression = (0.05, 0.5),
    ) -> Self:
        """Add baseline wander as breathing causes it: three slow sine waves, mixed differently in each lead."""
    def random_coloured_noise(
        self,
        exponent: float | tuple[float, float] | Expression = (0.5, 2.0),
        std_mv: float | tuple[float, float] | Expression = (0.0, 0.05),
    ) -> Self:
        """Add noise whose power is proportional to 1 / f**exponent, as electrodes and muscles cause it."""
    def random_crop_signals(self, length: int | Expression, pad_value: float | Expression = 0.0) -> Self:
        """Cut one window of ``length`` samples at a random place of each signal, which stays (lead, time)."""
    def random_cut_mix(self, alpha: float | Expression = 1.0) -> Self:
        """Replace a stretch of each record by another one's, in all leads, and mix the targets by its length."""
    def random_gaussian_noise(self, std_mv: float | tuple[float, float] | Expression = (0.0, 0.05)) -> Self:
        """Add white noise to each lead, with a standard deviation drawn once per record."""
    def random_lead_dropout(self, p: float | Expression = 0.2, n_keep: int | Expression = 1) -> Self:
        """Set each lead to zeros with probability ``p``, but keep at least ``n_keep`` leads."""
    def random_mix_up(self, alpha: float | Expression = 0.2) -> Self:
        """Mix each record with another one: λ of itself and 1 − λ of the other, signal and target alike."""
    def random_powerline(
        self,
        amplitude_mv: float | tuple[float, float] | Expression = (0.0, 0.1),
        frequencies: float | tuple[float, ...] | Expression = (50.0, 60.0),
    ) -> Self:
        """Add powerline interference: a sine wave near one of ``frequencies``, with a different amplitude in each lead."""
    def random_recorded_noise(
        self,
        noise: NDArray[Any] | Expression,
        noise_fs: float | Expression,
        snr_db: float | tuple[float, float] | Expression = (6.0, 24.0),
        part: Literal["first_half", "second_half", "all"] | Expression = "first_half",
    ) -> Self:
        """Add recorded noise, such as ``bw``, ``em`` or ``ma`` of NSTDB, at a signal-to-noise ratio."""
    def random_resample_signals(self, distr: str | Callable[..., float] | Expression, **kwargs: Any) -> Self:
        """Bring each signal to a sampling rate of its own, drawn from ``distr``."""
    def random_speed(self, low: float | Expression = 0.8, high: float | Expression = 1.25) -> Self:
        """Play each record faster or slower by a random factor, log-uniformly distributed between ``low`` and ``high``."""
    def random_split_signals(
        self,
        length: int | Expression,
        n_segments: int | Mapping[str, int] | Expression,
        pad_value: float | Expression = 0.0,
    ) -> Self:
        """Cut ``n_segments`` windows of ``length`` samples at random places of each signal."""
    def random_time_warp(self, strength: float | Expression = 0.2, n_knots: int | Expression = 5) -> Self:
        """Stretch and compress time smoothly along the record, which keeps its length."""
    def rebatch(self, batch_size: int | Expression, *, drop_last: bool | Expression = False) -> Self:
        """Make batches of ``batch_size`` rows of what comes; batches of one epoch are never mixed with the next."""
    def remove_baseline(self, method: Literal["median", "high_pass", "spline"] | Expression = "median") -> Self:
        """Remove baseline wander, which breathing and electrodes cause."""
    def rename_channels(self, rename_dict: Mapping[str, str] | Expression) -> Self:
        """Rename channels: ``rename_channels({"ECG": "I"})``."""
    def rename_labels(self, rename_dict: Mapping[str, str] | Expression) -> Self:
        """Rename labels: ``rename_labels({"N": "NO", "O": "NO"})`` merges two into one."""
    def reorder_channels(self, new_order: Sequence[str] | Expression) -> Self:
        """Reorder the channels to ``new_order``, and drop those that it does not name."""
    def repeat_signal(self, n_repeats: int | Expression) -> Self:
        """Make ``n_repeats`` segments of each signal, all equal: (lead, time) becomes (segment, lead, time)."""
    def resample_signals(self, fs: float | Expression) -> Self:
        """Bring each signal to ``fs`` Hz with a polyphase filter against aliasing."""
    def rfft(
        self,
        n: int | None | Expression = None,
        norm: Literal["backward", "ortho", "forward"] | Expression = "backward",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each lead by the non-negative half of its spectrum, as ``numpy.fft.rfft`` does, in complex64."""
    def robust_scale(
        self, quantiles: tuple[float, float] | Expression = (0.25, 0.75), axis: Axis | Expression = -1
    ) -> Self:
        """Subtract the median and divide by a distance of quantiles, which artefacts hardly change."""
    def save_model(
        self,
        name: str | Expression,
        path: str | Path | Expression,
        preprocessing: Any = None,
        every: Literal["run", "epoch"] | Expression = "run",
    ) -> Self:
        """Write the model ``name`` to ``path`` when the run ends, or after every epoch."""
    def set_kind(self, src: str | Expression, kind: Kind | Expression) -> Self:
        """Declare the kind of the component ``src``, by which it follows the signal when time changes."""
    def signal_quality(self, dst: str | Expression = "quality") -> Self:
        """Measure the quality of each lead by three indices, and write them as (lead, index) to ``dst``."""
    def signal_transpose(
        self,
        axes: Sequence[int] | None | Expression = None,
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Transpose each signal to the order ``axes``, as ``numpy.transpose`` does; by default reversed."""
    def slice_signals(
        self,
        start: int | slice | None | Expression = None,
        stop: int | None | Expression = None,
        step: int | None | Expression = None,
    ) -> Self:
        """Cut samples ``start`` to ``stop``, every ``step``-th of them, out of every signal, as Python slices do."""
    def spectrogram(self, *, src: str | Expression = "signal", dst: str | Expression = "signal", **kwargs: Any) -> Self:
        """Replace each lead by its spectrogram, as ``scipy.signal.spectrogram`` defines it."""
    def split_signals(
        self,
        length: int | Expression,
        step: int | Mapping[str, int] | None | Expression = None,
        pad_value: float | Expression = 0.0,
    ) -> Self:
        """Cut each signal into windows of ``length`` samples, ``step`` samples apart."""
    def squeeze(self) -> Self:
        """Take away the segment axis of records of one segment: (1, lead, time) becomes (lead, time)."""
    def stack_signals(self) -> Self:
        """Put the segments of each record into one row of (segment, lead, time), the reverse of ``unstack_signals``."""
    def standardize(
        self,
        axis: Axis | Expression = -1,
        eps: float | Expression = 1e-10,
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Subtract the mean and divide by the standard deviation, of each lead by default."""
    def test_on_batch(
        self, name: str | Expression, metrics: Any = None, *, save_to: V | None | Expression = None, **kwargs: Any
    ) -> Self:
        """Compute the loss of the model ``name`` on every batch, and the metric where one is given, with no update."""
    def tile(self, n_repeats: int | Expression) -> Self:
        """Repeat each signal ``n_repeats`` times, end to end along time, with its annotations."""
    def train_on_batch(
        self, name: str | Expression, metrics: Any = None, *, save_to: V | None | Expression = None, **kwargs: Any
    ) -> Self:
        """Run a single gradient update of the model ``name`` on every batch."""
    def unstack_signals(self) -> Self:
        """Make a row of (lead, time) of every segment."""
    def update(self, variable: V | Expression, value: Any) -> Self:
        """Write ``value``, such as ``F(len)``, to ``variable`` for every batch: ``update(V("n", mode="a"), F(len))``."""
    def wavedec(
        self,
        wavelet: str | Expression = "db4",
        mode: str | Expression = "symmetric",
        level: int | None | Expression = None,
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Replace each lead by all levels of its wavelet transform, as ``pywt.wavedec`` defines them."""
    def waverec(
        self,
        wavelet: str | Expression = "db4",
        mode: str | Expression = "symmetric",
        src: str | Expression = "signal",
        dst: str | Expression = "signal",
    ) -> Self:
        """Reconstruct the signal from all levels of its wavelet transform, as ``pywt.waverec`` does."""
    def write_predictions(
        self, path: str | Path | Expression, components: str | Sequence[str] | Expression = "prediction"
    ) -> Self:
        """Write components of each row, such as predictions, to Parquet files in the new folder ``path``."""
