"""The detector's indicators over a grid of parameters: ``tickwire sweep``."""
