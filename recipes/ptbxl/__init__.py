"""A network of the zoo for the five superclasses of PTB-XL, by the published folds."""
