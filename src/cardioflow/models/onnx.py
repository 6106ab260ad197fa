"""The adapter of ONNX: predictions by ONNX Runtime, which the base install has, and no training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn, Self

from numpy.typing import NDArray

from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.errors import ConfigError, DumpError, ModelError
from cardioflow.models._onnx.file import OnnxFile, read_onnx
from cardioflow.models._plain_loss import plain_loss
from cardioflow.models.adapter import BackendModel
from cardioflow.models.dump_header import DumpHeader
from cardioflow.models.inputs import InputShape

__all__ = ["OnnxModel"]

Array = NDArray[Any]

_ONLY_PREDICTS = (
    "An ONNX model only predicts, because the graph has no gradients. Train the model that it was exported from, and "
    "export it again."
)


class OnnxModel(BackendModel):
    """A model in ONNX, of any framework, that predicts with ONNX Runtime.

    ``load(path)`` reads a dump, or an ``.onnx`` file, which is checked first: a
    graph that keeps weights in other files or has a loop is refused.
    ``build(content)`` takes the graph as bytes. The graph has one input of
    float32, (record, lead, time) or (record, feature), and one output, the
    predictions; sizes of the batch and of time may be free.

    Args:
        threads: The number of threads of ONNX Runtime, by default one for each core. One gives the same sums on
            every machine with the same processor.

    >>> model = OnnxModel(threads=1).load("af.onnx")
    >>> model.predict_on_batch(batch)
    """

    adapter = "onnx"
    holds_architecture = True
    cannot: ClassVar[Mapping[str, str]] = dict.fromkeys(BackendModel.cannot, _ONLY_PREDICTS)

    def __init__(self, *, threads: int | None = None) -> None:
        super().__init__()
        if threads is not None and (type(threads) is not int or threads < 1):
            raise ConfigError(f"OnnxModel(threads={threads!r}) is not a whole number of threads, at least 1.")
        self.threads = threads
        self.model: bytes | None = None
        """The graph."""
        self._session: Any = None
        self._file = OnnxFile()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for pickle and deepcopy, without the session."""
        return {**self.__dict__, "_session": None}

    def build(self, content: bytes) -> Self:
        """Use the graph in ``content``.

        Raises:
            DumpError: when it is not a graph that may be used, or one that ONNX Runtime cannot load.
        """
        file = read_onnx(content)
        session = _session_of(content, self.threads, file)
        _check_interface(session)
        self.model, self._session, self._file = content, session, file
        return self

    @property
    def opset(self) -> int:
        """The version of the operators that the graph uses."""
        self._require_model()
        return self._file.opsets.get("", self._file.opsets.get("ai.onnx", 0))

    @property
    def n_parameters(self) -> int:
        """The number of floating point numbers that the graph holds."""
        self._require_model()
        return self._file.n_parameters

    @property
    def backend(self) -> str:
        return "onnx runtime"

    @classmethod
    def accepts(cls, header: DumpHeader) -> bool:
        return header.adapter == cls.adapter

    def train_on_batch(
        self,
        batch: EcgBatch,  # noqa: ARG002 -- the method of every model
        metrics: Any = None,  # noqa: ARG002
        response: Any = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> NoReturn:
        """Refuse to train.

        Raises:
            ModelError: always.
        """
        raise ModelError(_ONLY_PREDICTS)

    def set_weights(self, weights: Sequence[Array]) -> None:  # noqa: ARG002 -- the method of every model
        raise ModelError(_ONLY_PREDICTS)

    # -- what an adapter implements -------------------------------------------

    def _train(self, x: Array, y: Array) -> NoReturn:  # noqa: ARG002 -- train_on_batch refuses before
        raise ModelError(_ONLY_PREDICTS)

    def _test(self, x: Array, y: Array) -> tuple[float, Array]:
        p = self._predict(x)
        return plain_loss(self.output, y, p), p

    def _predict(self, x: Array) -> Array:
        session = self._loaded()
        (own,) = session.get_inputs()
        if x.ndim != len(own.shape):
            raise ModelError(
                f"The graph takes an array of {len(own.shape)} axes, and the batch gives one of shape {x.shape}. "
                "Set self.inputs to Signals() or Features(…), as in training."
            )
        try:
            found: Array = session.run(None, {own.name: x})[0]
        except Exception as error:  # ONNX Runtime raises a dozen types of its own.
            if "Failed to allocate memory" in str(error):
                raise  # what to lower is said above
            raise ModelError(
                f"ONNX Runtime cannot compute the graph for {x.shape[0]} records of shape {x.shape[1:]}: "
                f"{_first_line(error)} Pass signals of the length that it was exported for, or fewer records."
            ) from error
        if len(found) != len(x):
            raise ModelError(
                f"The graph gives {len(found)} rows for {len(x)} records. Export it with a free batch size, one row "
                "per record."
            )
        return found

    def _takes_shape(self) -> InputShape | None:
        shape = self._loaded().get_inputs()[0].shape[1:]
        return tuple(size if isinstance(size, int) else None for size in shape)

    def _write(self, folder: Path) -> str:
        (folder / "weights.onnx").write_bytes(self.model or b"")
        return "weights.onnx"

    def _read(self, weights: Path, header: DumpHeader) -> None:  # noqa: ARG002 -- the same for all adapters
        self.build(weights.read_bytes())

    # -- inside ----------------------------------------------------------------

    def _loaded(self) -> Any:
        self._require_model()
        if self._session is None:
            self._session = _session_of(self.model or b"", self.threads, self._file)
        return self._session


def _session_of(content: bytes, threads: int | None, file: OnnxFile) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    # Patterns of memory are kept for every shape, and lengths of ECGs differ.
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen types of its own.
        opsets = ", ".join(f"{domain or 'ai.onnx'} {version}" for domain, version in file.opsets.items())
        raise DumpError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load the graph, whose operators are of {opsets}: "
            f"{_first_line(error)} Update onnxruntime, or export the model again with an older opset."
        ) from error


def _check_interface(session: Any) -> None:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise DumpError(
            f"The ONNX graph has {len(inputs)} inputs and {len(outputs)} outputs, and a model has one of each. Export "
            "it with the signal as its input and the predictions as its output."
        )
    if inputs[0].type != "tensor(float)" or outputs[0].type != "tensor(float)" or len(inputs[0].shape) not in (2, 3):
        raise DumpError(
            f"The ONNX graph takes {inputs[0].type} of shape {inputs[0].shape} and gives {outputs[0].type}, and a "
            "model takes float32 of shape (record, lead, time) or (record, feature) and gives float32. Export it so."
        )


def _first_line(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text[:400]}"
