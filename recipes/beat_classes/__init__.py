"""The training of the trees that tell classes of beats apart."""
