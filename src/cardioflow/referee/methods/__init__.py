"""Methods that the referee scores, one per file: detectors of other packages behind one interface."""
