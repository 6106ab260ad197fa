"""The zoo: one file per model, found by the name of its file.

A member is a ``BaseModel`` whose ``__init__`` takes its settings, the keys of
the model's config, and whose ``build(input_shape, n_outputs)`` gets (lead, time)
and the number of labels or numbers from the first batch; one that is built from
more than that overrides ``build_from``.
"""
