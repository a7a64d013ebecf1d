"""Generated sessions as recordings, whole or spliced into real ones."""
