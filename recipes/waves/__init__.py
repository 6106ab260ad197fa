"""The network that finds P, QRS and T: its data, its training and its export."""
