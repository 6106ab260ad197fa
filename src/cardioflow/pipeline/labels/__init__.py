"""Labels: tables of many kinds, joined with records by their ids."""
