"""European Data Format: header, data records, annotations (Kemp 1992; EDF+ by Kemp and Olivan 2003; BioSemi's BDF)."""
