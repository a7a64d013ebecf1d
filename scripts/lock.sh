#!/bin/sh
# Renews requirements/*.lock from pyproject.toml: one resolution for all extras, so that they fit together.
set -eu
everything=$(mktemp)
trap 'rm -f "$everything"' EXIT
compile() { uv pip compile --quiet --no-annotate --universal --python-version 3.11 "$@"; }
compile --extra test --extra fpga --extra bench --extra live --extra gpu --extra plots --extra models --extra tune pyproject.toml -o "$everything"
for extra in core test fpga bench live gpu plots models tune; do
    selected=""
    [ "$extra" = core ] || selected="--extra $extra"
    # shellcheck disable=SC2086
    compile --generate-hashes --no-header $selected -c "$everything" pyproject.toml -o "requirements/$extra.lock"
done
echo "setuptools==80.9.0" | compile --generate-hashes --no-header - -o requirements/build.lock
