"""How well crashes are found and traded: statistics over generated sessions."""
