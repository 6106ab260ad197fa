"""The parts of the HL7 aECG reader: sequences of samples, and what was found in them."""
