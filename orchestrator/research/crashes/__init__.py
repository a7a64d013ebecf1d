"""Flash crashes before they come: datasets of generated sessions, and how well their labels are predicted."""
