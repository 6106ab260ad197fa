"""The parts of the SCP-ECG reader, a file per group of sections of EN 1064."""
