"""The classes of beats, by ANSI/AAMI EC57: normal, supraventricular, ventricular, fusion, unknown."""
