"""The description of a bundle that is the dump of one model."""

from __future__ import annotations

from cardioflow.bundle.description import BundleDescription
from cardioflow.bundle.member_description import MemberDescription
from cardioflow.models.dump_header import DumpHeader

__all__ = ["description_of"]


def description_of(header: DumpHeader) -> BundleDescription:
    """Return what the ``header`` of a dump says, as a bundle's description.

    The model itself holds the leads and units of records against its own, so that the description takes any.
    """
    return BundleDescription(
        name="model",
        output=header.output,
        classes=header.classes or None,
        fs=header.fs,
        members=(MemberDescription(name="model", dump="model", preparation=header.preprocessing or "{}"),),
        thresholds=dict(header.thresholds),
    )
