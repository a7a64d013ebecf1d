"""Trained models as they lie in their folders, with a card that says what they are."""
