"""What an encoder has learned, given to another model."""

from __future__ import annotations

from cardioflow.errors import ModelError
from cardioflow.models.keras import KerasBaseModel

__all__ = ["transfer_encoder"]

_HEADS = ("answer", "pretraining")


def transfer_encoder(source: KerasBaseModel, target: KerasBaseModel) -> tuple[str, ...]:
    """Copy the weights of ``source`` to the layers of ``target`` with the same names, all but the answer.

    The running means of batch normalization go along; the state of the target's optimizer does not.

    Args:
        source: A model that was trained, such as ``SimClr``, or the ``KerasBaseModel`` that its dump was loaded as.
        target: A model of the zoo with the same settings, built.

    Returns:
        The names of the layers that were filled.

    Raises:
        ModelError: when a layer of the target has no weights of its shape in the source; nothing is copied then.
    """
    source._require_model()
    target._require_model()
    known = {layer.name: layer for layer in source.model.layers if layer.weights}
    wanted = [layer for layer in target.model.layers if layer.weights and not layer.name.startswith(_HEADS)]
    if not wanted:
        raise ModelError(f"{type(target).__name__} has no layers with weights before its answer.")
    for layer in wanted:
        own = [tuple(w.shape) for w in layer.get_weights()]
        found = [tuple(w.shape) for w in known[layer.name].get_weights()] if layer.name in known else None
        if found != own:
            raise ModelError(
                f"Layer {layer.name!r} of {type(target).__name__} has weights of the shapes {own}, and "
                f"{type(source).__name__} {'has no such layer' if found is None else f'has {found}'}. Build both with "
                "the same encoder, settings and number of leads."
            )
    for layer in wanted:
        layer.set_weights(known[layer.name].get_weights())
    return tuple(layer.name for layer in wanted)
