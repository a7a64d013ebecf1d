"""What a model of the order book must beat: predictors without a network, fitted the same way every time."""
