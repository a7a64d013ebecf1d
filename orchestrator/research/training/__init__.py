"""Training of models, in PyTorch (extra ``train``)."""
