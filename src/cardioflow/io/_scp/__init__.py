"""Parts of the SCP-ECG reader, one file per group of sections of EN 1064."""
