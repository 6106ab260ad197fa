"""What flows through a pipeline: ragged signals, annotations, metadata and the batch that holds them.

Nothing here is changed in place. ``EcgBatch.replace`` returns a new batch that
shares what it did not change, and the arrays inside are read-only, so that
threads, replay and a cache need no further care.
"""

from cardioflow.batch.annotation import Annotation
from cardioflow.batch.ecg_batch import EcgBatch
from cardioflow.batch.meta import Meta
from cardioflow.batch.provenance import Provenance
from cardioflow.batch.ragged import Ragged
from cardioflow.batch.unstack import unstack

__all__ = ["Annotation", "EcgBatch", "Meta", "Provenance", "Ragged", "unstack"]
