"""CardIO's Dirichlet network, trained and scored on CinC 2017."""
