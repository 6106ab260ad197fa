"""Small CardioSoft files, for the tests of the reader and for damaging."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["cardiosoft", "disclosure", "strip"]


def cardiosoft(*parts: str, patient: str = "", more: str = "") -> bytes:
    """Return a file with these parts, in the encoding and under the name that CardioSoft gives it."""
    written = f"""<?xml version="1.0" encoding="ISO8859-1" ?>
<CardiologyXML>
	<ObservationType>RestECG</ObservationType>
	<ObservationDateTime>
		<Hour>13</Hour><Minute>5</Minute><Second>7</Second><Day>2</Day><Month>3</Month><Year>2015</Year>
	</ObservationDateTime>
	<ClinicalInfo><DeviceInfo><Desc>CardioSoft</Desc><SoftwareVer>V6.73</SoftwareVer></DeviceInfo></ClinicalInfo>
	<PatientVisit><ServicingFacility><Name>St. Elsewhere</Name></ServicingFacility></PatientVisit>
	<PatientInfo>
		<PID>12345</PID><Name><FamilyName>Lovelace</FamilyName><GivenName>Ada</GivenName></Name>
		<Gender>FEMALE</Gender>{patient}
	</PatientInfo>
	<FilterSetting>
		<Filter50Hz>Yes</Filter50Hz><Filter60Hz>No</Filter60Hz><LowPass units="Hz">150</LowPass>
	</FilterSetting>
	<Interpretation><Diagnosis>
		<DiagnosisText>Normal sinus rhythm</DiagnosisText>
		<DiagnosisText>Confirmed by Dr. Müller</DiagnosisText>
	</Diagnosis></Interpretation>
	{more}{"".join(parts)}
</CardiologyXML>
"""
    return written.encode("latin-1")


def strip(
    leads: Mapping[str, Sequence[int]],
    *,
    tag: str = "StripData",
    count: int | None = None,
    resolution: str = '<Resolution units="uVperLsb">5</Resolution>',
    beats: Sequence[tuple[int, str]] = (),
) -> str:
    """Return the leads of a strip, 500 Hz, with beats of (milliseconds, class)."""
    n = len(next(iter(leads.values()))) if count is None else count
    rows = "".join(
        f'<WaveformData lead="{name}">\t\t\t{",".join(map(str, row))}\n</WaveformData>' for name, row in leads.items()
    )
    marks = "".join(f'<Time units="ms">{at}</Time><BeatClass>{kind}</BeatClass>' for at, kind in beats)
    return (
        f'<{tag}><NumberOfLeads>{len(leads)}</NumberOfLeads><SampleRate units="Hz">500</SampleRate>'
        f"<ChannelSampleCountTotal>{n}</ChannelSampleCountTotal>{resolution}{rows}"
        f"<ArrhythmiaResults>{marks}</ArrhythmiaResults></{tag}>"
    )


def disclosure(leads: str, samples: Sequence[int], *, channels: int) -> str:
    """Return a full disclosure, 100 Hz, in which the leads take turns."""
    return (
        f"<FullDisclosure><StartTime><Minute>0</Minute><Second>10</Second></StartTime>"
        f'<NumberOfChannels>{channels}</NumberOfChannels><SampleRate units="Hz">100</SampleRate>'
        f'<Resolution units="uVperLsb">5</Resolution><LeadOrder>{leads}</LeadOrder>'
        f"<FullDisclosureData><SampleCountTotal>{len(samples)}</SampleCountTotal>\n{','.join(map(str, samples))},\n"
        f"</FullDisclosureData></FullDisclosure>"
    )
