"""The parts of the DICOM reader: elements as bytes, waveform groups, annotations."""
