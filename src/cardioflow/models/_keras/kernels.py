"""What Keras leaves behind in TensorFlow for every model that it loads."""

from __future__ import annotations

from cardioflow.models._keras.backend import keras

__all__ = ["release_loading"]


def release_loading() -> None:
    """Release what loading a model has left in TensorFlow, 4 MB a model; nothing on other backends.

    It is what ``keras.utils.clear_session`` does there, without the global
    settings of Keras, such as its dtype policy, which are the user's.
    """
    if keras.config.backend() != "tensorflow":
        return
    import tensorflow as tf  # the backend that Keras runs on
    from tensorflow.python.eager import context

    if tf.executing_eagerly():
        tf.compat.v1.reset_default_graph()
        context.context().clear_kernel_cache()
