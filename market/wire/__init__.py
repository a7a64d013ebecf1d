"""Wire formats: what venues send, decoded from raw bytes into flat int64 arrays.

``records`` fixes the arrays; ``text`` and ``lines`` read JSON text; one module per venue format decodes
it; ``sbe`` is the compiler for binary layouts. No Python object is made per message or level.
"""
