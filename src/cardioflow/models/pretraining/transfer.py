"""What an encoder has learned, given to another model."""

from __future__ import annotations

from cardioflow.errors import ModelError
from cardioflow.models.keras import KerasBaseModel

__all__ = ["transfer_encoder"]

_HEADS = ("answer", "pretraining")


def transfer_encoder(source: KerasBaseModel, target: KerasBaseModel) -> tuple[str, ...]:
    """Copy the weights of ``source`` to the layers of ``target`` with the same names, all but the answer.

    ``MaskedReconstruction`` and ``Cpc`` learn from the last stage that has time, and do not have the layers behind it:
    those of the target stay as they are. The running means of batch normalization go along; the state of the target's
    optimizer does not. Saved afterwards, the target is what ``pretrained=`` of its kind takes.

    Args:
        source: A model that was trained, such as ``SimClr``, or the ``KerasBaseModel`` that its dump was loaded as.
        target: A model of the zoo with the same settings, built.

    Returns:
        The names of the layers that were filled.

    Raises:
        ModelError: when a layer has other weights in the source, or is missing there before others that are not;
            nothing is copied then.
    """
    source._require_model()
    target._require_model()
    known = {layer.name: layer for layer in source.model.layers if layer.weights}
    own = [layer for layer in target.model.layers if layer.weights and not layer.name.startswith(_HEADS)]
    there = [layer.name in known for layer in own]
    n_filled = sum(there)
    if not n_filled or not all(there[:n_filled]):
        lacking = next((layer.name for layer, known_there in zip(own, there, strict=True) if not known_there), "any")
        raise ModelError(
            f"{type(source).__name__} does not have the layer {lacking!r} of {type(target).__name__}. Build both with "
            "the same encoder and settings."
        )
    filled = own[:n_filled]
    for layer in filled:
        mine, theirs = ([tuple(w.shape) for w in one.get_weights()] for one in (layer, known[layer.name]))
        if mine != theirs:
            raise ModelError(
                f"Layer {layer.name!r} of {type(target).__name__} has weights of the shapes {mine}, and that of "
                f"{type(source).__name__} {theirs}. Build both with the same encoder, settings and number of leads."
            )
    for layer in filled:
        layer.set_weights(known[layer.name].get_weights())
    return tuple(layer.name for layer in filled)
