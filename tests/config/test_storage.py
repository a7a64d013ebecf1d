"""Settings of storage: a database's URL names no secret."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.errors import SettingsError
from config.loading import load_settings
from config.storage import StorageSettings


@pytest.mark.parametrize(
    "url", ["sqlite:///out/tickwire.db", "postgresql://tickwire@localhost/tickwire", "postgresql://u@/db?host=/run"]
)
def test_urls_of_both_kinds_are_taken(url: str) -> None:
    assert StorageSettings(database_url=url).database_url == url


@pytest.mark.parametrize(
    "url", ["postgresql://tickwire:geheim@localhost/tickwire", "postgresql://localhost/tickwire?password=geheim"]
)
def test_a_url_with_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="set PGPASSWORD"):
        StorageSettings(database_url=url)


@pytest.mark.parametrize("url", ["mysql://localhost/tickwire", "tickwire.db", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="must begin with sqlite:// or postgresql://"):
        StorageSettings(database_url=url)


@pytest.mark.parametrize(
    "url", ["postgresql://tickwire:geheim@localhost/tickwire", "mysql://tickwire:geheim@localhost/x"]
)
def test_no_text_shows_the_password(url: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings("demo", environment={"TICKWIRE__STORAGE__DATABASE_URL": url})
    assert "TICKWIRE__STORAGE__DATABASE_URL: storage.database_url " in str(refusal.value)
    assert "geheim" not in str(refusal.value)
