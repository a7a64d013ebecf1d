"""Control: messages of the host are received, numbered, checked, handed to the owners of the state, and answered."""
