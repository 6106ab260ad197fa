"""The zoo: one file per model, named like the model.

A member is a ``BaseModel``. Its ``__init__`` takes the settings, which are the
keys of the model's config. Its ``build(input_shape, n_outputs)`` receives
(lead, time) and the number of labels or of values, taken from the first batch.
A model that needs more than these to be built overrides ``build_from``.
"""
