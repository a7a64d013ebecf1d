"""Datasets of order books for models: rows of rebuilt books, labels that look ahead, parts that do not touch."""
