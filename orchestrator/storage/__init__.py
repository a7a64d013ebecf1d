"""What a run leaves behind: the journal that every order is written to before it is sent, and the database made of it.

The journal (``journal_file``, ``journal_reader``, ``journal_folder``) is the truth: append-only, durable when a call
returns, enough to take over after a crash (``replayed``). The database (``database``, ``repositories``) is made of it
by a thread of its own (``projector``) and may lag, be lost or be made again; people and tools ask it.
"""
