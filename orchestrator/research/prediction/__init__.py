"""Predictions of models over datasets and recordings."""
