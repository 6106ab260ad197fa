"""The zoo: one file per model, found by its file's name.

A member is a ``KerasBaseModel`` whose ``__init__`` takes its settings (the
keys of the model's config), and whose ``build(input_shape, n_classes)`` gets
(lead, time) and the number of labels from the first batch.
"""
