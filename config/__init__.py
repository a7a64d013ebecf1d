"""Ground floor: typed settings and the profiles that they validate.

Settings are frozen pydantic models. A profile is a TOML file shipped in ``config/profiles``; a local
file and environment variables override it. Nothing outside this package parses a setting.
"""
